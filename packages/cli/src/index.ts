/**
 * capos as a library: boot a machine in this process, run guests on it, measure it; check its kernel.
 */
export type { MachineState } from "@capos/kernel/host";
export { type BenchmarkDocument, type BenchOptions, bench, suites } from "./bench.js";
export {
  type BootOptions,
  boot,
  CaposMachine,
  compileGuest,
  defaultCores,
  type MachineReport,
  type RunOptions,
  type RunResult,
} from "./boot.js";
export { type Selection, selectJobs } from "./check/selection.js";
export { renderCounterExample, type TableOptions } from "./check/table.js";
export { ExitStatus, MachineError, UsageError } from "./errors.js";
export type { LogLevelName } from "./log-sink.js";
export { type StressDocument, type StressOptions, stress } from "./stress.js";
