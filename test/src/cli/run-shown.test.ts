/** What of a guest's own choosing the command line shows, on a terminal and through a pipe. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { visible } from "@capos/abi";
import t from "tap";
import { caposSmp } from "../support/cli-process.js";
import { TerminalProcess } from "./support/terminal-process.js";

/** Each steers a terminal, reorders or hides text in its own way. */
const NASTY = "\x1b]0;pwned\x07\x1b[31m\x9b2J\x7f\b\u202e\u2066\u200b\u{e0041}end";
/** Anything that `visible` would have spelled, but for line breaks and tabs. */
const HIDDEN = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]/u;
const text = JSON.stringify(NASTY).replace(
  /[^ -~]/g,
  (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
);
const head = 'import { start, type Sys } from "@capos/libos";\n';
const main = (body: string) =>
  `${head}export default function* main(sys: Sys) { const os = start(sys); ${body} }`;

const GUESTS: Readonly<Record<string, readonly [source: string, status: number]>> = {
  "an import's name": [`import x from ${text};\nexport default function* main() { return x }`, 2],
  "a mistake in the syntax": [`export default function* main() { ${NASTY} }`, 2],
  "a message that is thrown": [main(`throw new Error(${text})`), 1],
  "a text that is thrown": [main(`throw ${text}`), 1],
  "an error's name": [
    main(`class E extends Error {} Object.defineProperty(E, "name", { value: ${text} }); throw new E("x")`),
    1,
  ],
  "a function that is thrown": [
    main(`const f = () => 1; Object.defineProperty(f, "name", { value: ${text} }); throw f`),
    1,
  ],
  "a log record": [main(`yield* os.log.warn(${text}); return 3`), 3],
  "an error whose stack is made up": [
    main(
      `const f = { f() { throw new Error("inner") } }.f; Object.defineProperty(f, "name", { value: ${text} });
       const e: any = new Error("hello"); delete e.stack; Object.setPrototypeOf(e, { get stack() { f(); return "" } }); throw e`,
    ),
    1,
  ],
};

t.test("no character of a guest's reaches the terminal through what the command says of it", async (t) => {
  for (const [what, [source, status]] of Object.entries(GUESTS)) {
    const file = join(t.testdir(), "guest.ts");
    writeFileSync(file, source);
    const run = await caposSmp(["run", "--cores", "2", file]);
    t.equal(run.status, status, what);
    // A log record is one line of JSON where nobody looks at it.
    if (status !== 3) t.notMatch(run.stderr, HIDDEN, `${what}: ${visible(run.stderr)}`);
    if (status === 2) t.equal(run.stderr.split("\n").length, 2, "one line");
  }
});

t.test("a file's name is shown spelled, whatever is wrong with it", async (t) => {
  const folder = t.testdir({});
  const name = join(folder, `${NASTY.replace("/", "")}.ts`);
  for (const source of [null, "", "export default function* main() { throw 1 }"]) {
    if (source !== null) writeFileSync(name, source);
    const run = await caposSmp(["run", "--cores", "2", name]);
    t.ok(run.status !== 0);
    t.notMatch(run.stderr, HIDDEN);
    t.match(run.stderr, /\\x1b\]0;pwned/);
  }
  const option = await caposSmp([`--${NASTY}`]);
  t.equal(option.status, 2);
  t.notMatch(option.stderr, HIDDEN);
});

t.test(
  "a guest's output is sent to a terminal as text and colours, raw if it is told, and unchanged to a pipe",
  async (t) => {
    const file = join(t.testdir(), "guest.ts");
    const line = "before \x1b[31mred\x1b[0m \x1b]0;pwned\x07\x1b[?1049hafter";
    const source = JSON.stringify(line).replace(
      /[^ -~]/g,
      (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
    writeFileSync(file, main(`yield* os.print(${source}); yield* os.log.warn(${text}); return 0`));
    const piped = await caposSmp(["run", "--cores", "2", "--quiet", file]);
    t.equal(piped.stdout, `${line}\n`);

    // A terminal has a folder of its own for each test.
    await t.test("on a terminal", async (t) => {
      const seen = await new TerminalProcess(t, ["run", "--cores", "2", file]).end();
      t.match(seen.text, /before red after/);
      t.match(seen.text, /\\x1b\]0;pwned\\x07/, "the log's record is spelled");
      t.notOk(seen.isAlternate, "the other screen was not asked for");
    });
    await t.test("raw", async (t) => {
      const args = ["run", "--cores", "2", "--quiet", "--raw-console", file];
      const raw = await new TerminalProcess(t, args).end();
      t.ok(raw.isAlternate, "now it was");
    });
  },
);

t.test("a guest imports what lies above it once it is told a root", async (t) => {
  const folder = t.testdir({
    "data.json": '"from above"',
    guest: {
      "main.ts": main("yield* os.print(data); return 0").replace(
        head,
        `${head}import data from "../data.json";\n`,
      ),
    },
  });
  const file = join(folder, "guest/main.ts");
  const refused = await caposSmp(["run", "--cores", "2", file]);
  t.equal(refused.status, 2);
  t.match(refused.stderr, /^capos-smp: .*main\.ts:2:18: cannot import "\.\.\/data\.json": .*--root/);
  const run = await caposSmp(["run", "--cores", "2", "--root", folder, file]);
  t.match(run, { status: 0, stdout: "from above\n" });
});
