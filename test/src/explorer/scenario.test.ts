/** Small programs on shared memory, by the explorer alone: what holds is explored to its end, planted defects are found. */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { exploreWhole, type Strategy } from "@capos/explorer";
import type { Opener } from "@capos/explorer/campaign";
import { catalogueOf } from "@capos/explorer/scenario";
import t, { type Test } from "tap";

const FIXTURES = fileURLToPath(new URL("../../fixtures/explorer/", import.meta.url));
const DOCUMENTS = fileURLToPath(new URL("../../../docs/", import.meta.url));
const ALL: Strategy = { kind: "dpor" };
/** Far above what the programs here need. */
const MOST_SCHEDULES = 20_000;

/** What becomes of a file's scenario: `holds`, or the finding with its first place. */
async function outcomeOf(file: string, mutant: string | null = null, strategy = ALL): Promise<string> {
  const { scenarios, opener } = await catalogueOf(file);
  const { prepareProgram, openScenario } = (await import(opener)) as Opener;
  const program = await prepareProgram(mutant);
  const { explorer } = openScenario(scenarios[0].name, program);
  const { failure, isComplete } = exploreWhole(explorer, strategy, { schedules: MOST_SCHEDULES });
  if (failure === null) return isComplete ? "holds" : "not explored to its end";
  const { file: place, line } = program.sites[failure.sites?.[0] ?? -1] ?? {};
  return `${failure.kind}: ${failure.message}${place === undefined ? "" : ` (${place}:${line})`}`;
}

/** The defects of each program, and what each is found as. */
const PROGRAMS: Readonly<Record<string, Readonly<Record<string, RegExp>>>> = {
  "spin-lock": {
    "take-in-two-steps": /^data race: count: nothing orders .* \(spin-lock\.mjs:16\)$/,
    "release-plainly": /^data race: lock: nothing orders .* \(spin-lock\.mjs:(6|10)\)$/,
    "forget-release": /^deadlock: core \d spins for ever on lock, which stays 1 \(spin-lock\.mjs:6\)$/,
  },
  queue: {
    "index-before-element": /^data race: slots: nothing orders .* \(queue\.mjs:(10|18)\)$/,
    "full-too-early": /^history: no order of whole operations explains .*push\(2\) = false/,
    "free-before-read": /^data race: slots: nothing orders .* \(queue\.mjs:(10|18)\)$/,
  },
  seqlock: {
    "no-second-look": /^assertion: the sum of the pair is -?\d$/,
    "read-while-odd": /^assertion: the sum of the pair is -?\d$/,
    "write-before-odd": /^assertion: the sum of the pair is -?\d$/,
  },
  gate: {
    "open-quietly":
      /^lost wake-up: core \d waits for ever on open, which is 1 and no longer 0: .* \(gate\.mjs:6\)$/,
    "wake-first": /^lost wake-up: core \d waits for ever on open, which is 1 and no longer 0/,
    "open-early": /^(data race: load: |exception: core \d: the gate is open, and nothing is there)/,
    "never-open": /^deadlock: core \d waits for ever on open, which stays 0 \(gate\.mjs:6\)$/,
  },
};

for (const [name, defects] of Object.entries(PROGRAMS)) {
  const file = join(FIXTURES, `${name}.scenario.mjs`);
  t.test(`${name}: holds in every schedule, and each planted defect is found`, async (t) => {
    t.equal(await outcomeOf(file), "holds");
    t.same(
      (await catalogueOf(file)).mutants.map((mutant) => mutant.name),
      Object.keys(defects),
    );
    for (const [mutant, found] of Object.entries(defects))
      t.match(await outcomeOf(file, mutant), found, mutant);
  });
}

t.test(
  "the example of the documents holds, and lacks a wake-up where the document leaves it out",
  async (t) => {
    const scenario = join(DOCUMENTS, "examples/mailbox.scenario.mjs");
    t.equal(await outcomeOf(scenario), "holds");
    t.match(await outcomeOf(scenario, "empty-quietly"), /^lost wake-up: core 0 waits for ever on full, /);
    const document = readFileSync(join(DOCUMENTS, "checking-your-own.md"), "utf8");
    const example = readFileSync(join(DOCUMENTS, "examples/mailbox.mjs"), "utf8");
    const last = "    Atomics.notify(i32, FULL);\n";
    const at = example.lastIndexOf(last);
    t.ok(document.includes(example.slice(0, at) + example.slice(at + last.length)));
  },
);

t.test("without reduction the same programs hold, and the same defects are found", async (t) => {
  const file = join(FIXTURES, "gate.scenario.mjs");
  t.equal(await outcomeOf(file, null, { kind: "dfs" }), "holds");
  t.match(await outcomeOf(file, "wake-first", { kind: "dfs" }), /^lost wake-up/);
});

/** Writes a program and a scenario with these fields; answers the scenario's path. */
function write(t: Test, program: string, fields: string): string {
  // Node loads a file once: each text has a name of its own.
  const name = createHash("sha256").update(program).update(fields).digest("hex");
  const file = join(t.testdir(), `${name}.scenario.mjs`);
  writeFileSync(join(t.testdirName, "program.mjs"), program);
  writeFileSync(
    file,
    `export default { name: "mine", holds: "It holds.", program: "./program.mjs", words: 4, ${fields} };\n`,
  );
  return file;
}

const BOTH = 'cores: ["main", "main"]';
const ONE = 'cores: ["main"]';

t.test("an access that the explorer would not see is an exception that says so", async (t) => {
  const finding = (program: string) => outcomeOf(write(t, program, ONE));
  const unseen = /^exception: core 0: (i32: )?the checker does not see this access: .*\(program\.mjs:\d+\)$/;
  t.match(await finding("export const main = ({ i32 }) => [0].map((i) => i32[i]);"), unseen);
  t.match(await finding("export const main = ({ i32 }) => [...i32];"), unseen);
  t.match(
    await finding(
      "class A { constructor(v) { v[0] = 1; } }\nexport const main = ({ i32 }) => void new A(i32);",
    ),
    unseen,
  );
  t.match(
    await finding(
      "class A { constructor(v) { this.v = v; } get x() { return Atomics.load(this.v, 0); } }\nexport const main = ({ i32 }) => new A(i32).x;",
    ),
    unseen,
  );
  t.match(
    await finding("export const main = ({ i32 }) => i32.fill(0);"),
    /i32\.fill: access elements one at a time/,
  );
  t.match(
    await finding("export const main = ({ i32 }) => new Int32Array(i32.buffer);"),
    /i32\.buffer: use i32, f64 and u8 as they are given/,
  );
  t.match(
    await finding("export const main = ({ i32 }) => i32[4];"),
    /^exception: core 0: memory has no word 4 \(program\.mjs:1\)$/,
  );
  t.equal(
    await finding(
      "export const main = ({ i32, f64, u8 }) => { i32[i32.length - 1] = 1; f64[1] = 2; u8[15] = f64.length + u8.length; };",
    ),
    "holds",
  );
});

t.test("what a program keeps in its modules is one core's, and begins anew in each schedule", async (t) => {
  const program = [
    "let calls = 0;",
    "export function main({ i32 }) {",
    "  Atomics.add(i32, 0, 1);",
    "  Atomics.store(i32, 1, ++calls);",
    "}",
  ].join("\n");
  const atEnd = "atEnd: ({ i32 }) => (i32[0] === 2 && i32[1] === 1 ? null : [...i32].join())";
  t.equal(await outcomeOf(write(t, program, `${BOTH}, ${atEnd}`)), "holds");
});

t.test("memory begins as the scenario says, in each schedule", async (t) => {
  const program = "export const main = ({ i32 }) => Atomics.sub(i32, 0, 1);";
  const atEnd = "atEnd: ({ i32 }) => (i32[0] === 3 ? null : i32[0] + ' are left')";
  t.equal(
    await outcomeOf(write(t, program, `${BOTH}, begin: ({ i32 }) => { i32[0] = 5; }, ${atEnd}`)),
    "holds",
  );
  t.equal(await outcomeOf(write(t, program, `${BOTH}, ${atEnd}`)), "assertion: -2 are left");
});

t.test("a core may wait for ever, or go on by a time limit, where the scenario says so", async (t) => {
  const program =
    "export const main = ({ i32 }) => Atomics.wait(i32, 0, 0);\nexport const limited = ({ i32 }) => Atomics.wait(i32, 0, 0, 50);";
  t.match(await outcomeOf(write(t, program, ONE)), /^deadlock/);
  t.equal(await outcomeOf(write(t, program, `${ONE}, mayWait: [0]`)), "holds");
  const limited = 'cores: ["limited"]';
  t.match(await outcomeOf(write(t, program, limited)), /^lost wake-up: .* 50 ms/);
  const atEnd = "timeouts: true, atEnd: ({ results }) => (results[0] === 'timed-out' ? null : results[0])";
  t.equal(await outcomeOf(write(t, program, `${limited}, ${atEnd}`)), "holds");
});

t.test("an operation that has not ended may have happened or not", async (t) => {
  const program = [
    "export function main({ i32, core, operations }) {",
    '  const it = operations.begin("take");',
    "  const mine = Atomics.exchange(i32, 0, 1) === 0;",
    "  if (core === 1) Atomics.wait(i32, 1, 0);",
    "  operations.end(it, mine);",
    "}",
  ].join("\n");
  const specification =
    "specification: { initial: false, step: (taken, { result }) => (result === taken ? [] : [true]), key: String }";
  t.equal(await outcomeOf(write(t, program, `${BOTH}, mayWait: [1], ${specification}`)), "holds");
  const broken = program.replace("Atomics.exchange(i32, 0, 1) === 0", "true");
  t.equal(
    await outcomeOf(write(t, broken, `${BOTH}, mayWait: [1], ${specification}`)),
    "holds",
    "the other's end is open",
  );
  t.match(
    await outcomeOf(write(t, broken.replace("core === 1", "false"), `${BOTH}, ${specification}`)),
    /^history: no order of whole operations explains core \d take\(\) = true \(.*\), core \d take\(\) = true/,
  );
});

t.test("a program that does not do the same again is refused", async (t) => {
  const program = [
    "export function main({ i32 }) {",
    "  if ((globalThis.$runs = (globalThis.$runs ?? 0) + 1) % 3 === 0) return;",
    "  for (let i = 0; i < 3; i++) Atomics.add(i32, Atomics.load(i32, 0) & 1, 1);",
    "}",
  ].join("\n");
  await t.rejects(outcomeOf(write(t, program, BOTH)), {
    name: "DeterminismError",
    message: /is not deterministic/,
  });
});

t.test("a file with no proper scenario is refused in one line that says what to write", async (t) => {
  const refused = async (
    fields: string,
    message: RegExp,
    program = "export const main = ({ i32 }) => i32[0];",
  ) => await t.rejects(outcomeOf(write(t, program, fields)), { name: "CheckFileError", message });
  await refused("cores: []", /: cores: 1 to 4 names of functions$/);
  await refused('cores: ["main", "main", "main", "main", "main"]', /: cores: 1 to 4 names/);
  await refused('cores: ["no name"]', /: cores\.0: a function's name$/);
  await refused('cores: ["other"]', /: cores: the program exports no function other$/);
  await refused(`${ONE}, words: 0`, /: words: 1 to 65536$/);
  await refused(`${ONE}, word: 1`, /: word: /);
  await refused(`${ONE}, names: { far: 9 }`, /: names\.far is word 9, and there are 4$/);
  await refused(
    `${ONE}, racing: { what: "luck" }`,
    /: racing\.what: names does not say which words these are$/,
  );
  await refused(`${ONE}, mayWait: [1]`, /: mayWait: core 1, and there are 1, from 0$/);
  await refused(`${ONE}, name: "My Scenario"`, /: name: small letters, digits and hyphens$/);
  await refused(`${ONE}, program: "./none.mjs"`, /: program: there is no file .*none\.mjs$/);
  await refused(`${ONE}, program: new URL("http://none/")`, /: program: .*scheme file/);
  await refused(`${ONE}, begin() { throw new Error("no begin"); }`, /: begin throws: no begin$/);
  await refused(`${ONE}, atEnd() { throw new Error("no end"); }`, /: atEnd throws: no end$/);
  await refused(ONE, /main an ordinary function/, "export async function main({ i32 }) { i32[0]; }");
  await refused(ONE, /main an ordinary function/, "export function* main({ i32 }) { i32[0]; }");
  await refused(
    ONE,
    /throws when it is loaded: too early$/,
    'export const main = 1; throw new Error("too early");',
  );
});
