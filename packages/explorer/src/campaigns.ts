/** Campaigns: exploring scenarios on many threads, and what becomes of a failure. */

export type { Counts, Limits, Outcome, Progress } from "./campaign/campaign.js";
export type {
  Catalogue,
  MutantInfo,
  OpenedScenario,
  Opener,
  ScenarioInfo,
  Subject,
} from "./campaign/catalogue.js";
export {
  type CheckOptions,
  type CheckResult,
  check,
  describeStrategy,
  type Job,
  nameOf,
  type SimplestCounterExample,
} from "./campaign/check.js";
export { fromText, toBlocks, toText } from "./campaign/choices.js";
export { type Access, type CounterExample, shortPlace } from "./campaign/counter-example.js";
export { CheckFileError } from "./campaign/files.js";
export { fingerprintOf } from "./campaign/fingerprint.js";
export { isSameFinding, type Minimal, type Minimiser, minimise } from "./campaign/minimise.js";
export { WorkerError } from "./campaign/pool.js";
export { type ReplayOptions, type ReplayResult, replayFile } from "./campaign/replay.js";
export { type ReplayDocument, readReplayFile, writeReplayFile } from "./campaign/replay-file.js";
export { FileError } from "./campaign/whole-file.js";
export type { Strategy } from "./explore/types.js";
export { type Hunt, type HuntOptions, huntMutants } from "./survey/hunt.js";
export { mutantRows, mutantTable, withMutantTable } from "./survey/mutant-table.js";
export { Survey } from "./survey/survey.js";
export type { Surveyed, SurveyTask } from "./survey/task.js";
