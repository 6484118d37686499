/** Libraries of npm's in guests: real ones, as their authors publish them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { caposSmp, type Finished, ROOT } from "../support/cli-process.js";

t.setTimeout(600_000);

const TSCONFIG = JSON.stringify({
  compilerOptions: {
    ...{ target: "ES2022", lib: ["ES2022"], module: "NodeNext", types: [] },
    ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true },
  },
});

/** Runs a guest in a folder below those where the libraries are installed, its types checked. */
function run(t: Test, guest: string): Promise<Finished> {
  const cwd = t.testdir({ "guest.ts": guest, "tsconfig.json": TSCONFIG });
  return caposSmp(["run", "--cores", "2", "--quiet", "guest.ts"], { cwd });
}

const MEASURED = `
import { start, type Sys } from "capos/guest";
import { linearRegression, linearRegressionLine, median } from "simple-statistics";
import * as v from "valibot";

const Reading = v.object({ sensor: v.string(), values: v.pipe(v.array(v.number()), v.minLength(2)) });
type Reading = v.InferOutput<typeof Reading>;

function summary({ sensor, values }: Reading): string {
  const line = linearRegressionLine(linearRegression(values.map((value, i) => [i, value])));
  return \`\${sensor}: median \${median(values)}, then \${line(values.length)}\`;
}

export default function* main(sys: Sys) {
  const os = start(sys);
  yield* os.print(summary(v.parse(Reading, { sensor: "roof", values: [1, 5, 2, 8] })));
  const wrong = v.safeParse(Reading, { sensor: 1, values: [] });
  for (const { message } of wrong.issues ?? []) yield* os.print(message);
  return 0;
}
`;

t.test("a guest computes with libraries that it imports by name", async (t) => {
  t.match(await run(t, MEASURED), {
    status: 0,
    stdout: [
      "roof: median 3.5, then 8.5",
      "Invalid type: Expected string but received 1",
      "Invalid length: Expected >=2 but received 0",
      "",
    ].join("\n"),
    stderr: "",
  });
});

t.test("what a library throws ends the guest at the guest's own line", async (t) => {
  const finished = await run(t, MEASURED.replace("[1, 5, 2, 8]", "[1]"));
  t.match(finished.stderr, /^capos-smp: .*ValiError: Invalid length: Expected >=2 but received 1\n/);
  const line = MEASURED.split("\n").findIndex((text) => text.includes("v.parse")) + 1;
  t.match(finished.stderr, `    at main (guest.ts:${line}:`);
  t.equal(finished.status, 1);
});

t.test("a mistake in how a library is used is one of types", async (t) => {
  const finished = await run(t, MEASURED.replace("median(values)", "median(sensor)"));
  t.match(finished.stderr, /^capos-smp: guest\.ts:11:\d+: .*'string' is not assignable to .*\(TS2345\)\n/);
  t.match(finished, { status: 2, stdout: "" });
});

/** Where a library's file first has a text, as `line:column`. */
function placeOf(file: string, text: string): string {
  const before = readFileSync(join(ROOT, "test/node_modules", file), "utf8")
    .split(text, 1)[0]!
    .split("\n");
  return `${before.length}:${before.at(-1)!.length + 1}`;
}

t.test(
  "a library that cannot be in a guest is refused with the place in it, and who imports it",
  async (t) => {
    for (const [name, file, why, text] of [
      ["p-limit", "p-limit/index.js", "async functions do not work in a guest: ", "async "],
      ["ajv", "ajv/dist/ajv.js", "require and module.exports do not work in a guest: ", '"use strict"'],
    ] as const) {
      const finished = await run(
        t,
        `import library from "${name}"; export default function* main() { return library.length; }`,
      );
      // pnpm keeps it elsewhere, and links to it.
      t.match(
        finished.stderr,
        new RegExp(`^capos-smp: .*/node_modules/${file}:${placeOf(file, text)}: ${why}`),
      );
      t.match(finished.stderr, `(guest.ts imports "${name}")`);
      t.match(finished, { status: 2, stdout: "" });
    }
  },
);
