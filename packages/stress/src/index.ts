/**
 * The stress suite: guests that race on real threads and write down what they did, and the judge of what they wrote. May touch
 * whole machines and the explorer's judge of histories; its guests import abi and libos only.
 */
export { describeEvent, HistoryReader, type StressEvent } from "./event.js";
export type { Finding } from "./finding.js";
export { Kind, SCENARIOS, type ScenarioName } from "./guests/vocabulary.js";
export { type JudgeOptions, judgeRound } from "./judge.js";
export { describeViolation, totalOf } from "./report.js";
export { Rounds } from "./rounds.js";
export {
  HISTORY_EVENTS,
  runStress,
  type ScenarioResult,
  type StressContext,
  type StressMachine,
  type Violation,
} from "./run.js";
