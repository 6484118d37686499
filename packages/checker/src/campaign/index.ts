/** Campaigns: exploring scenarios on many threads, and what becomes of a failure. */
export type { Strategy } from "../explore/types.js";
export type { Counts, Limits, Outcome, Progress } from "./campaign.js";
export type {
  Catalogue,
  MutantInfo,
  OpenedScenario,
  Opener,
  ScenarioInfo,
  Subject,
} from "./catalogue.js";
export {
  type CheckOptions,
  type CheckResult,
  check,
  describeStrategy,
  type Job,
  nameOf,
  type SimplestCounterExample,
} from "./check.js";
export { fromText, toBlocks, toText } from "./choices.js";
export { type Access, type CounterExample, shortPlace } from "./counter-example.js";
export { CheckFileError } from "./files.js";
export { fingerprintOf } from "./fingerprint.js";
export { isSameFinding, type Minimal, type Minimiser, minimise } from "./minimise.js";
export { WorkerError } from "./pool.js";
export { type ReplayOptions, type ReplayResult, replayFile } from "./replay.js";
export { type ReplayDocument, readReplayFile, writeReplayFile } from "./replay-file.js";
