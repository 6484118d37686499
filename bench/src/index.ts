/** Benchmarks: how samples become statistics, results and tables, and the baselines of the host. */

export {
  BaselineError,
  type Crew,
  type CrewMember,
  type CrewOptions,
  type DriverMessage,
  runCrew,
} from "./baseline/crew.js";
export * from "./baseline.js";
export * from "./quantity.js";
export * from "./result.js";
export * from "./statistics.js";
export * from "./table.js";
