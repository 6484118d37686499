/**
 * Judging what a machine did: histories against sequential specifications, and the stress suite that
 * makes histories on real threads.
 */
export { shortestExcerpt } from "./excerpt.js";
export {
  checkHistory,
  type Limits,
  partition,
  type Specification,
  type Timed,
  type Verdict,
} from "./linearizability.js";
export { describeEvent, HistoryReader, type StressEvent } from "./stress/event.js";
export type { Finding } from "./stress/finding.js";
export { Kind, SCENARIOS, type ScenarioName } from "./stress/guests/vocabulary.js";
export { checkState, checkWhenAtRest } from "./stress/invariants.js";
export { type JudgeOptions, judgeRound } from "./stress/judge.js";
export { describeViolation, totalOf } from "./stress/report.js";
export { Rounds } from "./stress/rounds.js";
export {
  HISTORY_EVENTS,
  runStress,
  type ScenarioResult,
  type StressContext,
  type StressMachine,
  type Violation,
} from "./stress/run.js";
