/** `run` and `up` check the types of what they run, beside the build. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Err, Right, Trap } from "@capos/abi";
import t, { type Test } from "tap";
import { caposSmp } from "../support/cli-process.js";

t.setTimeout(600_000);

/** A folder below none that has packages or a `tsconfig.json`. */
function folderOf(t: Test, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "capos-checked-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

const HEAD = 'import { start, type Sys } from "capos/guest";\nimport { said } from "./said.ts";\n';
const SAID = 'export const said = (n: number): string => "said " + n;';
const guest = (n: string, type = ": Sys") =>
  `${HEAD}export default function* main(sys${type}) {\n  yield* start(sys).print(said(${n}));\n  return 0;\n}\n`;
const run = (cwd: string, ...args: string[]) =>
  caposSmp(["run", "--cores", "2", "--quiet", ...args], { cwd });

t.test("a mistake of types is told with its place and status 2, and what to do; nothing runs", async (t) => {
  const cwd = folderOf(t, { "said.ts": SAID, "guest.ts": guest('"1"'), "good.ts": guest("1") });
  const line =
    "guest.ts:4:32: Argument of type 'string' is not assignable to parameter of type 'number'. (TS2345)";
  for (const files of [["guest.ts"], ["good.ts", "guest.ts"]]) {
    t.match(await run(cwd, ...files), {
      status: 2,
      stdout: "",
      stderr: `capos-smp: ${line}\nmend what is wrong, or run it unchecked with --no-check\n`,
    });
  }
});

t.test("--no-check runs it all the same", async (t) => {
  const cwd = folderOf(t, { "said.ts": SAID, "guest.ts": guest('"1"') });
  t.match(await run(cwd, "--no-check", "guest.ts"), { status: 0, stdout: "said 1\n", stderr: "" });
});

t.test(
  "without a tsconfig.json the check is strict, and finds capos/guest where nothing is installed",
  async (t) => {
    const cwd = folderOf(t, { "said.ts": SAID, "good.ts": guest("1"), "loose.ts": guest("1", "") });
    t.match(await run(cwd, "good.ts"), { status: 0, stdout: "said 1\n", stderr: "" });
    const loose = await run(cwd, "loose.ts");
    t.match(
      loose.stderr,
      /^capos-smp: loose\.ts:3:31: Parameter 'sys' implicitly has an 'any' type\. \(TS7006\)\n/,
    );
    t.equal(loose.status, 2);
  },
);

t.test(
  "the nearest tsconfig.json says how strictly, whatever it says of output and other files",
  async (t) => {
    const cwd = folderOf(t, {
      "said.ts": SAID,
      "loose.ts": guest("1", ""),
      "other.ts": "export const wrong: number = '';",
      "tsconfig.json": `{
      // As projects have them.
      "compilerOptions": {
        "module": "NodeNext", "target": "ES2022", "strict": false, "composite": true, "noUnusedLocals": true,
        "tsBuildInfoFile": "\${configDir}/info", "rootDir": "\${configDir}", "outDir": "\${configDir}/out",
      },
      "include": ["*.ts"],
    }`,
    });
    t.match(await run(cwd, "loose.ts"), { status: 0, stdout: "said 1\n", stderr: "" });
  },
);

t.test(
  "numbers that the system names can be named below any tsconfig.json, which stays as strict",
  async (t) => {
    const named = (
      imported: string,
    ): string => `import { Err, errorName, Right, start, Trap, ${imported} } from "capos/guest";
import { said } from "./said.ts";
export default function* main(sys: Sys) {
  const name: string = errorName(Err.DENIED);
  yield* start(sys).print(said(Err.DENIED) + name + Right.GRANT + Trap.YIELD);
  return 0;
}
`;
    const cwd = folderOf(t, { "said.ts": SAID, "guest.ts": named("type Sys"), "loose.ts": named("Sys") });
    for (const [i, own] of [{ isolatedModules: true }, { verbatimModuleSyntax: true }].entries()) {
      const compilerOptions = {
        ...{ module: "NodeNext", target: "ES2022", strict: true, types: [] },
        ...own,
      };
      writeFileSync(join(cwd, "tsconfig.json"), JSON.stringify({ compilerOptions }));
      t.match(await run(cwd, "guest.ts"), {
        status: 0,
        stdout: `said ${Err.DENIED}ERR_DENIED${Right.GRANT}${Trap.YIELD}\n`,
        stderr: "",
      });
      const loose = await run(cwd, "loose.ts");
      if (i === 0) t.equal(loose.status, 0, loose.stderr);
      else
        t.match(loose, { status: 2, stderr: /^capos-smp: loose\.ts:1:46: 'Sys' is a type .*\(TS1484\)\n/ });
    }
  },
);

t.test("JavaScript is checked if the tsconfig.json says so, and not else", async (t) => {
  const text = `${HEAD.replace(", type Sys", "").replace(/\n.*said.*\n/, "\n")}/** @type {number} */
    let n = "";
    export default function* main(/** @type {any} */ sys) { yield* start(sys).print(String(n)); return 0; }`;
  const cwd = folderOf(t, { "guest.mjs": text });
  t.match(await run(cwd, "guest.mjs"), { status: 0, stdout: "\n", stderr: "" });
  writeFileSync(
    join(cwd, "tsconfig.json"),
    '{ "compilerOptions": { "module": "NodeNext", "allowJs": true, "checkJs": true } }',
  );
  const checked = await run(cwd, "guest.mjs");
  t.match(checked.stderr, /^capos-smp: guest\.mjs:3:9: .*TS2322/);
  t.equal(checked.status, 2);
});

t.test("what the builder refuses is told in its words", async (t) => {
  const cwd = folderOf(t, { "said.ts": SAID, "guest.ts": guest("1").replace("yield* ", "") });
  const { stderr, status } = await run(cwd, "guest.ts");
  t.match(stderr, /^capos-smp: guest\.ts:4:\d+: .*yield\*.*\n$/);
  t.equal(status, 2);
});

t.test("a system's programs are checked all of them, also by --check, before anything starts", async (t) => {
  const files = {
    "said.ts": SAID,
    "good.ts": guest("1"),
    "wrong.ts": guest('"1"'),
    "worse.ts": guest("true"),
  };
  const once = (image: string) => `  ${image}: { image: ./${image}, restart: temporary }\n`;
  const cwd = folderOf(t, {
    ...files,
    "s.yaml": `programs:\n${Object.keys(files).slice(1).map(once).join("")}`,
    "good.yaml": `programs:\n${once("good.ts")}`,
  });
  const up = (...args: string[]) =>
    caposSmp(["up", "--cores", "2", "--quiet", "--log-level", "silent", ...args], { cwd });
  for (const more of [[], ["--check"], ["--own-process"]]) {
    const { status, stdout, stderr } = await up(...more, "s.yaml");
    t.match({ status, stdout }, { status: 2, stdout: "" }, more.join());
    t.same(
      stderr.split("\n").map((line) => line.replace(/: Argument.*\(/, " (")),
      [
        "capos-smp: worse.ts:4:32 (TS2345)",
        "wrong.ts:4:32 (TS2345)",
        "mend what is wrong, or run it unchecked with --no-check",
        "",
      ],
      more.join(),
    );
  }
  const unchecked = await up("--no-check", "s.yaml");
  t.match(unchecked, { status: 0, stderr: "" });
  t.same(unchecked.stdout.trim().split("\n").sort(), [
    "good.ts | said 1",
    "worse.ts | said true",
    "wrong.ts | said 1",
  ]);
  t.match(await up("good.yaml"), { status: 0, stdout: "good.ts | said 1\n", stderr: "" });
  for (const both of [
    ["--check", "--no-check"],
    ["--no-check", "--check"],
  ])
    t.match(await up(...both, "good.yaml"), {
      status: 2,
      stdout: "",
      stderr: /^capos-smp: up: --check starts nothing, --no-check starts programs unchecked: choose one\n$/,
    });
});
