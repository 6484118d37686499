/** `capos-smp check ./my-scenario.mjs`: a program of one's own, in a folder that has nothing to do with this one. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { caposSmp, type Finished } from "../support/cli-process.js";

const PROGRAM = `const FULL = 0;
const LETTER = 1;

export function sender({ i32 }) {
  i32[LETTER] = 7;
  Atomics.store(i32, FULL, 1);
  Atomics.notify(i32, FULL);
}

export function receiver({ i32 }) {
  while (Atomics.load(i32, FULL) === 0) Atomics.wait(i32, FULL, 0);
  return i32[LETTER];
}
`;

const scenario = (more = "") => `import { defineScenario } from "capos";

export default defineScenario({
  name: "mailbox",
  holds: "The letter arrives.",
  program: new URL("./mailbox.mjs", import.meta.url),
  cores: ["sender", "receiver"],
  words: 2,
  names: { full: 0, letter: 1 },
  atEnd: ({ results }) => (results[1] === 7 ? null : \`\${results[1]} arrived\`),
  ${more}
});
`;

/** A folder with these files; answers what runs \`check\` there. */
function inFolder(t: Test, files: Readonly<Record<string, string>>) {
  const cwd = mkdtempSync(join(tmpdir(), "capos-own-"));
  t.teardown(() => rmSync(cwd, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text);
  const check = (...args: string[]): Promise<Finished> => caposSmp(["check", ...args], { cwd });
  return { cwd, check };
}

t.test("a program that holds is explored to exhaustion, with status 0", async (t) => {
  const { check } = inFolder(t, { "mailbox.mjs": PROGRAM, "my.mjs": scenario() });
  const run = await check("./my.mjs");
  t.equal(run.status, 0, run.stderr);
  t.equal(run.stderr, "");
  t.match(run.stdout, /\nmailbox +exhaustive .* holds\n1 scenario, .*: none fails\n$/);
  const quick = await check("my.mjs", "--quick", "--json", "--workers", "1");
  t.match(JSON.parse(quick.stdout), {
    workers: 1,
    results: [{ scenario: "mailbox", outcome: "complete", strategy: { kind: "bounded", preemptions: 2 } }],
  });
  t.match((await check("./my.mjs", "--list")).stdout, /^mailbox +exhaustive +The letter arrives\.\n$/);
});

t.test(
  "one that fails is shown with its own file and line, saved, and fails again when it is replayed",
  async (t) => {
    const broken = PROGRAM.replace(
      "Atomics.store(i32, FULL, 1);\n  Atomics.notify(i32, FULL);",
      "Atomics.notify(i32, FULL);\n  Atomics.store(i32, FULL, 1);",
    );
    const { cwd, check } = inFolder(t, { "mailbox.mjs": broken, "my.mjs": scenario() });
    const run = await check("./my.mjs");
    t.equal(run.status, 1, run.stderr);
    t.match(run.stdout, / FAILS: lost wake-up\n/);
    t.match(run.stdout, /mailbox\.mjs:11 +wait +full +waits\n/);
    t.match(
      run.stdout,
      /\nlost wake-up: core 1 waits for ever on full, which is 1 and no longer 0: .* \(\S*mailbox\.mjs:11\)\n/,
    );
    t.match(run.stdout, /\nmust hold: The letter arrives\.\n/);
    const again = "capos-smp check ./my.mjs --replay capos-check-mailbox.json";
    t.ok(run.stdout.endsWith(`saved in capos-check-mailbox.json; see it again: ${again}\n`), run.stdout);
    const replayed = await check("./my.mjs", "--replay", "capos-check-mailbox.json");
    t.equal(replayed.status, 1, replayed.stderr);
    t.match(replayed.stdout, /\nlost wake-up: core 1 waits for ever on full/);

    writeFileSync(join(cwd, "mailbox.mjs"), PROGRAM);
    const other = await check("./my.mjs", "--replay", "capos-check-mailbox.json");
    t.equal(other.status, 2);
    t.match(other.stderr, /^capos-smp: capos-check-mailbox\.json is of other code .*\n$/);
  },
);

t.test("program and scenario may be TypeScript", async (t) => {
  const { check } = inFolder(t, {
    "mailbox.ts": `import type { ProgramContext } from "capos";\n${PROGRAM.replaceAll("({ i32 })", "({ i32 }: ProgramContext): unknown")}`,
    "my.ts": scenario().replace("./mailbox.mjs", "./mailbox.ts"),
  });
  const run = await check("./my.ts");
  t.equal(run.status, 0, run.stderr);
  t.match(run.stdout, /\nmailbox +exhaustive .* holds\n/);
});

t.test("a mutant of the scenario is found, and one that does not fit is refused", async (t) => {
  const mutants = `mutants: [
    { name: "quiet", breaks: "Who sends wakes.", edits: [{ function: "sender", find: "Atomics.notify(i32, FULL);", replace: "" }] },
    { name: "unfitting", breaks: "It fits.", edits: [{ function: "sender", find: "Atomics.notify(i32, EMPTY);", replace: "" }] },
  ],`;
  const { check } = inFolder(t, { "mailbox.mjs": PROGRAM, "my.mjs": scenario(mutants) });
  const found = await check("./my.mjs", "--mutant", "quiet");
  t.equal(found.status, 1, found.stderr);
  t.match(found.stdout, /^mutant quiet: Who sends wakes\.\n/);
  t.match(found.stdout, / FAILS: lost wake-up\n/);
  t.match((await check("./my.mjs", "--mutants")).stdout, /^quiet +Who sends wakes\.\n/);
  const unfitting = await check("./my.mjs", "--mutant", "unfitting");
  t.equal(unfitting.status, 2);
  t.match(unfitting.stderr, /^capos-smp: sender \(in .*mailbox\.mjs\) does not have this code, .*\n$/);
});

t.test("a limit ends a run, and the same command goes on", async (t) => {
  const { cwd, check } = inFolder(t, { "mailbox.mjs": PROGRAM, "my.mjs": scenario() });
  const args = ["./my.mjs", "--strategy", "dfs", "--schedules", "2", "--resume", "left.json", "--json"];
  for (const schedules of [2, 4]) {
    const run = await check(...args);
    t.equal(run.status, 0, run.stderr);
    t.equal(JSON.parse(run.stdout).results[0].counts.schedules, schedules);
  }
  t.ok(existsSync(join(cwd, "left.json")));
  t.match(JSON.parse(readFileSync(join(cwd, "left.json"), "utf8")).campaigns, [{ scenario: "mailbox" }]);
});

t.test("what cannot be checked ends with one line that says why, and status 2", async (t) => {
  const { check } = inFolder(t, {
    "mailbox.mjs": PROGRAM,
    "my.mjs": scenario(),
    "syntax.mjs": "export default {\n  name: ;\n};\n",
    "throws.mjs": 'throw new Error("not\\ntoday");\n',
    "empty.mjs": "export const scenario = 1;\n",
    "shape.mjs": "export default { name: 7 };\n",
    "package.mjs": 'import "there-is-no-such-package";\nexport default {};\n',
    "program-syntax.mjs": scenario().replace("./mailbox.mjs", "./broken.mjs"),
    "broken.mjs": "export function sender() {\n  return (;\n}\n",
    "program-refused.mjs": scenario().replace("./mailbox.mjs", "./refused.mjs"),
    "refused.mjs":
      "export const receiver = 1;\nexport const sender = ({ i32 }) => [i32].map(Atomics.load);\n",
    "program-throws.mjs": scenario().replace("./mailbox.mjs", "./throws.mjs"),
  });
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [["./none.mjs"], /\.\/none\.mjs cannot be read: there is no such file/],
    [["./"], /\.\/ cannot be read: it is no file/],
    [["./syntax.mjs"], /syntax\.mjs:2: /],
    [["./throws.mjs"], /throws\.mjs throws when it is loaded: not today/],
    [["./empty.mjs"], /empty\.mjs has no scenario: export default defineScenario\(\{ \.\.\. \}\)/],
    [["./shape.mjs"], /shape\.mjs has no proper scenario: name: /],
    [["./package.mjs"], /package\.mjs:1: Could not resolve "there-is-no-such-package"/],
    [["./program-syntax.mjs"], /broken\.mjs:2: /],
    [["./program-refused.mjs"], /refused\.mjs:2:\d+: call Atomics\.load where it is needed/],
    [["./program-throws.mjs"], /throws\.mjs throws when it is loaded: not today/],
    [["./my.mjs", "./my.mjs"], /\.\/my\.mjs is a file of your own: name nothing else/],
    [["./my.mjs", "all"], /name nothing else/],
    [["./my.mjs", "--mutant", "none"], /mutant: there is no none/],
    [["./my.mjs", "--replay", "none.json"], /there is no such file/],
  ];
  const runs = await Promise.all(wrong.map(([args]) => check(...args)));
  wrong.forEach(([args, line], i) => {
    const run = runs[i];
    t.equal(run.status, 2, `${args.join(" ")}: ${run.stderr}`);
    t.match(run.stderr, line, args.join(" "));
    t.match(run.stderr, /^[^\n]+\n$/, "one line");
  });
});
