/** The files of --resume and --replay: what is written is read, and nothing else is. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import {
  check,
  FileError,
  type Job,
  readReplayFile,
  replayFile,
  writeReplayFile,
} from "@capos/explorer/campaign";
import t, { type Test } from "tap";
import { toyCatalogue } from "./support/toy-scenarios.js";

const JOB: Job = { scenario: "some-schedules", mutant: null, strategy: { kind: "dfs" } };
const FAILING: Job = { scenario: "counting", mutant: "split-addition", strategy: { kind: "dpor" } };

async function resume(file: string, job: Job = JOB, sources: readonly string[] = []): Promise<number> {
  const [result] = await check({
    ...{ catalogue: toyCatalogue(sources), jobs: [job], workers: 1, minimiseSeconds: 5, resume: file },
    limits: { schedules: 500, seconds: Number.POSITIVE_INFINITY },
  });
  return result!.counts.schedules;
}

/** Rejects with one line that matches. */
async function refuses(t: Test, work: () => Promise<unknown>, message: RegExp, about: string): Promise<void> {
  const error = await work().then(
    () => null,
    (error: unknown) => error,
  );
  t.ok(error instanceof FileError, `${about}: ${error}`);
  const text = (error as Error | null)?.message ?? "";
  t.match(text, message, about);
  t.notMatch(text, /\n/, "one line");
}

t.test("a resume file that is damaged, or of something else, is refused and left as it was", async (t) => {
  const root = t.testdir({ code: { "code.js": "1", notes: "not code" }, kept: {} });
  const folder = `${root}/kept`;
  const code = `${root}/code`;
  const file = `${folder}/resume.json`;
  t.equal(await resume(file), 500);
  const text = readFileSync(file, "utf8");
  t.same(readdirSync(folder), ["resume.json"], "nothing else is left behind");
  const document = JSON.parse(text);
  const changed = (change: (it: typeof document) => void): string => {
    const copy = structuredClone(document);
    change(copy);
    return JSON.stringify(copy);
  };
  const wrong: readonly (readonly [string, string, RegExp])[] = [
    ["empty", "", /is damaged \(no JSON\): remove it to start anew/],
    ["cut off", text.slice(0, -20), /is damaged \(no JSON\)/],
    ["a list", "[]", /is no capos-check-resume file/],
    ["null", "null", /is no capos-check-resume file/],
    ["of another format", '{"format":"x","version":1}', /is no capos-check-resume file/],
    ["of a later version", changed((it) => (it.version = 2)), /is of version 2 of the format, this is 1/],
    ["without campaigns", changed((it) => delete it.campaigns), /is damaged \(campaigns/],
    ["with a path of letters", changed((it) => (it.campaigns[0].frontier.units[0].path = "ab")), /no path/],
    ["with a fifth core", changed((it) => (it.campaigns[0].frontier.units[0].take = 4)), /units\.0\.take/],
    ["with half a schedule", changed((it) => (it.campaigns[0].counts.schedules = 0.5)), /counts\.schedules/],
    ["with a changed number", changed((it) => it.campaigns[0].counts.schedules++), /its digest does not fit/],
  ];
  for (const [what, content, message] of wrong) {
    writeFileSync(file, content);
    await refuses(t, () => resume(file), message, what);
    t.equal(readFileSync(file, "utf8"), content, what);
  }
  writeFileSync(file, text);
  await refuses(
    t,
    () => resume(file, { ...JOB, scenario: "endless" }),
    /is of some-schedules, which is not asked for/,
    "other scenario",
  );
  await refuses(t, () => resume(file, FAILING), /is of some-schedules, which is not asked for/, "mutant");
  await refuses(
    t,
    () => resume(file, { ...JOB, strategy: { kind: "dpor" } }),
    /explored by another strategy \(dfs, not dpor\)/,
    "other strategy",
  );
  await refuses(
    t,
    () => resume(file, JOB, [code]),
    /is of other code \(fingerprint [0-9a-f]+, this is [0-9a-f]+\): remove it/,
    "other code",
  );
  await refuses(
    t,
    () => resume(`${code}/none/resume.json`),
    /cannot be written: there is no such folder/,
    "no folder",
  );
  await refuses(t, () => resume(code), /cannot be read: it is a folder/, "a folder");
});

t.test("a replay file fails again as it says", async (t) => {
  const file = `${t.testdir()}/failure.json`;
  const [result] = await check({
    ...{ catalogue: toyCatalogue(), jobs: [FAILING], workers: 1, minimiseSeconds: 5 },
    limits: { schedules: 500, seconds: 60 },
  });
  const { fingerprint, counterExample } = result!;
  const { finding, choices } = counterExample!;
  const document = { scenario: FAILING.scenario, mutant: FAILING.mutant, fingerprint, finding, choices };
  writeReplayFile(file, document);
  t.same(readReplayFile(file), document);
  const again = await replayFile({ catalogue: toyCatalogue(), file });
  const { isFewest, ...expected } = counterExample!;
  t.same(again.counterExample, expected);
  writeReplayFile(file, { ...document, choices: "" });
  const harmless = await replayFile({ catalogue: toyCatalogue(), file });
  t.equal(harmless.counterExample, null, "other choices do not fail");
});

t.test("a replay file that is damaged, or of something else, is refused", async (t) => {
  const folder = t.testdir({ code: { "code.js": "1" } });
  const file = `${folder}/failure.json`;
  const { fingerprint } = (
    await check({
      ...{ catalogue: toyCatalogue(), jobs: [FAILING], workers: 1, minimiseSeconds: 5 },
      limits: { schedules: 500, seconds: 60 },
    })
  )[0];
  const document = {
    ...{ format: "capos-check-replay", version: 1, scenario: "counting", mutant: null, fingerprint },
    ...{ finding: { kind: "assertion", message: "wrong" }, choices: "0*2 1" },
  };
  const wrong: readonly (readonly [string, unknown, RegExp])[] = [
    ["cut off", '{"format":', /is damaged \(no JSON\): run the check again/],
    ["a resume file", { ...document, format: "capos-check-resume" }, /is no capos-check-replay file/],
    ["of a later version", { ...document, version: 9 }, /is of version 9 of the format, this is 1/],
    ["without choices", { ...document, choices: undefined }, /is damaged \(choices/],
    ["with other choices", { ...document, choices: "0*2 x" }, /choices: no list of choices/],
    ["with a fifth core", { ...document, choices: "4" }, /choices: no list of choices/],
    ["with endless choices", { ...document, choices: "0*999999999" }, /choices: no list of choices/],
    ["with an unknown finding", { ...document, finding: { kind: "mood", message: "" } }, /finding\.kind/],
    ["of an unknown scenario", { ...document, scenario: "weather" }, /a scenario that there is not: weather/],
    ["of an unknown mutant", { ...document, mutant: "ninja" }, /a mutant that there is not: ninja/],
    [
      "of other code",
      { ...document, fingerprint: "00000000" },
      /is of other code \(fingerprint 00000000, this is/,
    ],
    [
      "of a mutant that changed",
      { ...document, mutant: "split-addition", fingerprint: "00000000" },
      /is of other code/,
    ],
  ];
  for (const [what, content, message] of wrong) {
    writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
    await refuses(t, () => replayFile({ catalogue: toyCatalogue(), file }), message, what);
  }
  const other = { ...document, mutant: FAILING.mutant, choices: "1" };
  writeFileSync(file, JSON.stringify(other));
  t.ok(await replayFile({ catalogue: toyCatalogue(), file }));
  await refuses(
    t,
    () => replayFile({ catalogue: toyCatalogue([`${folder}/code`]), file }),
    /is of other code/,
    "sources",
  );
  // A core has six accesses.
  writeFileSync(file, JSON.stringify({ ...other, choices: "0*10" }));
  await refuses(
    t,
    () => replayFile({ catalogue: toyCatalogue(), file }),
    /is damaged \(step 6: core 0 cannot go on\)/,
    "misfit",
  );
  await refuses(
    t,
    () => replayFile({ catalogue: toyCatalogue(), file: `${folder}/none` }),
    /there is no such file/,
    "none",
  );
});
