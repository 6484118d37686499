/** The file of `--resume`: campaigns with what they explored and what is left of them. */
import { createHash } from "node:crypto";
import * as v from "valibot";
import { MAX_STEPS } from "../explore/frames.js";
import type { CampaignState } from "./campaign.js";
import { CheckFileError, fingerprint, name, parseDocument, readIfThere, strategy } from "./files.js";
import { writeWhole } from "./whole-file.js";

const FORMAT = "capos-check-resume";
const VERSION = 1;
const ADVICE = "remove it to start anew";

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const amount = v.pipe(v.number(), v.minValue(0));
const mask = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(15));
const path = v.pipe(v.string(), v.maxLength(MAX_STEPS), v.regex(/^[0-3]*$/, "no path"));

const campaign = v.object({
  scenario: name,
  mutant: v.nullable(name),
  strategy,
  fingerprint,
  counts: v.object({
    schedules: count,
    redundant: count,
    steps: count,
    deepest: count,
    seconds: amount,
    workerSeconds: amount,
  }),
  explored: v.pipe(amount, v.maxValue(1)),
  frontier: v.object({
    units: v.array(
      v.object({
        path,
        take: v.pipe(v.number(), v.integer(), v.minValue(-1), v.maxValue(3)),
        asleep: mask,
        first: count,
        count,
      }),
    ),
    places: v.array(
      v.tuple([path, v.object({ enabled: mask, backtrack: mask, taken: mask, asleep: mask, open: count })]),
    ),
    nextSchedule: count,
  }),
});

const schema = v.object({
  format: v.literal(FORMAT),
  version: v.literal(VERSION),
  /** Hash of the campaigns' text: a frontier with a digit changed would only fail hours later. */
  digest: v.string(),
  campaigns: v.array(campaign),
});

/** One that is there is replaced. @throws FileError */
export function writeResumeFile(file: string, campaigns: readonly CampaignState[]): void {
  const digest = digestOf(campaigns);
  writeWhole(file, `${JSON.stringify({ format: FORMAT, version: VERSION, digest, campaigns })}\n`, true);
}

/** The campaigns of a file; none if there is no file. @throws CheckFileError if it is damaged or something else. */
export function readResumeFile(file: string): CampaignState[] {
  const text = readIfThere(file);
  if (text === undefined) return [];
  const { digest, campaigns } = parseDocument(file, text, {
    ...{ format: FORMAT, version: VERSION, advice: ADVICE },
    schema,
  });
  if (digest !== digestOf(campaigns))
    throw new CheckFileError(`${file} is damaged (its digest does not fit): ${ADVICE}`);
  return campaigns;
}

/** @throws CheckFileError if a campaign's state is of other code. */
export function checkFingerprint(file: string, state: CampaignState, now: string): void {
  if (state.fingerprint === now) return;
  throw new CheckFileError(
    `${file} is of other code (fingerprint ${state.fingerprint}, this is ${now}): ${ADVICE}, or check out that code`,
  );
}

function digestOf(campaigns: readonly CampaignState[]): string {
  return createHash("sha256").update(JSON.stringify(campaigns)).digest("hex");
}
