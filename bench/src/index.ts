/** Benchmarks: how samples become statistics, results and tables, the kernel's own suites and the baselines of the host. */

export {
  BaselineError,
  type Crew,
  type CrewMember,
  type CrewOptions,
  type DriverMessage,
  runCrew,
} from "./baseline/crew.js";
export * from "./baseline.js";
export * from "./capability.js";
export * from "./compare.js";
export { renderComparison } from "./comparison-table.js";
export { describeRow } from "./descriptions.js";
export * from "./distribution.js";
export { type Collection, RowError } from "./figures.js";
export type { GuestOptions, GuestRunner, SuiteContext } from "./guest-suite.js";
export { Differences } from "./guests/differences.js";
export { Sampler, type SamplerLimits } from "./guests/sampler.js";
export { slicesOf, turnArgument, turnLine } from "./guests/slices.js";
export { type TrialLimits, Trials } from "./guests/trials.js";
export { benchImageFile, GUESTS, type GuestName, loadBenchImages } from "./images.js";
export * from "./ipc.js";
export * from "./limits.js";
export * from "./memory.js";
export {
  AGREEMENT,
  type PairedRatio,
  pairedRatio,
  ratiosOfSamples,
  ratiosOfTurns,
  slicesDisagree,
} from "./paired.js";
export * from "./quantity.js";
export * from "./rank-test.js";
export * from "./result.js";
export { coreCounts, familyOf, isNamed } from "./rows.js";
export * from "./run-facts.js";
export type { Series, Span } from "./series.js";
export * from "./statistics.js";
export * from "./table.js";
export { RunTally } from "./tally.js";
export { plural, TABLE_WIDTH } from "./text.js";
export * from "./top.js";
export * from "./trace.js";
export * from "./trial.js";
export { SingleOperations, type SlicedMeasurement, type TurnTaker, takeTurns } from "./turns.js";
