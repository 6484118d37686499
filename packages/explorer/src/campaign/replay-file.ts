/** The file of `--replay`: a counter-example's choices, and the code they were made in. */
import * as v from "valibot";
import { MAX_STEPS } from "../explore/frames.js";
import type { Finding } from "../explore/world.js";
import type { Subject } from "./catalogue.js";
import { fromText, toText } from "./choices.js";
import { CheckFileError, fingerprint, name, parseDocument, readIfThere } from "./files.js";
import { writeWhole } from "./whole-file.js";

const FORMAT = "capos-check-replay";
const VERSION = 1;
const ADVICE = "run the check again to get a new one";

export interface ReplayDocument extends Subject {
  readonly fingerprint: string;
  /** A digit for each step. */
  readonly choices: string;
  readonly finding: Finding;
}

const choices = v.pipe(
  v.string(),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const digits = fromText(dataset.value, MAX_STEPS);
    if (digits !== undefined && /^[0-3]*$/.test(digits)) return digits;
    addIssue({ message: "no list of choices" });
    return NEVER;
  }),
);

const schema = v.object({
  format: v.literal(FORMAT),
  version: v.literal(VERSION),
  scenario: name,
  mutant: v.nullable(name),
  fingerprint,
  finding: v.object({
    kind: v.picklist([
      "assertion",
      "invariant",
      "history",
      "deadlock",
      "lost wake-up",
      "data race",
      "exception",
      "livelock",
      "leak",
    ]),
    message: v.string(),
  }),
  choices,
});

/** One that is there is replaced. @throws FileError */
export function writeReplayFile(file: string, document: ReplayDocument): void {
  const { scenario, mutant, fingerprint, finding, choices } = document;
  const value = { format: FORMAT, version: VERSION, scenario, mutant, fingerprint, finding };
  writeWhole(file, `${JSON.stringify({ ...value, choices: toText(choices) }, null, 2)}\n`, true);
}

/** @throws CheckFileError if there is no such file, or it is damaged or something else. */
export function readReplayFile(file: string): ReplayDocument {
  const text = readIfThere(file);
  if (text === undefined) throw new CheckFileError(`${file} cannot be read: there is no such file`);
  const { scenario, mutant, fingerprint, finding, choices } = parseDocument(file, text, {
    ...{ format: FORMAT, version: VERSION, advice: ADVICE },
    schema,
  });
  return { scenario, mutant, fingerprint, finding, choices };
}

/** @throws CheckFileError if a replay is of other code. */
export function checkReplayFingerprint(file: string, document: ReplayDocument, now: string): void {
  if (document.fingerprint === now) return;
  throw new CheckFileError(
    `${file} is of other code (fingerprint ${document.fingerprint}, this is ${now}): ${ADVICE}, or check out that code`,
  );
}
