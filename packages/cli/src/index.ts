/**
 * capos as a library: boot a machine in this process, run guests on it, measure it; check its kernel, and programs of
 * one's own.
 */

export {
  defineScenario,
  type Ending,
  type Memory,
  type Operation,
  type Operations,
  type ProgramContext,
  type ScenarioDefinition,
  type ScenarioMutant,
} from "@capos/explorer/define";
export type { MachineState } from "@capos/inspect";
export {
  type BootOptions,
  boot,
  type CallOptions,
  CaposMachine,
  type ClientOptions,
  type ConsoleStreams,
  compileGuest,
  IpcError,
  type MachineReport,
  type PeerClient,
  type PeerContext,
  type PeerHandlers,
  Program,
  Reference,
  type ReferenceTransfer,
  type RunOptions,
  type RunResult,
  readableOf,
  type ServeOptions,
  Serving,
  type SpawnOptions,
  type WatchedMachine,
  writableOf,
} from "@capos/machine";
export type { LogLevelName } from "@capos/machine/defaults";
export { defaultCores } from "@capos/machine/defaults";
export { ExitStatus, MachineError, UsageError } from "@capos/machine/errors";
export { type BenchmarkDocument, type BenchOptions, bench, suites } from "./bench.js";
export { readDocument, writeDocument } from "./bench-file.js";
export { type Selection, selectJobs } from "./check/selection.js";
export { renderCounterExample, type TableOptions } from "./check/table.js";
export { renderReport } from "./report/report.js";
export { type StressDocument, type StressOptions, stress } from "./stress.js";
export { type ProgramDescription, type SystemDescription, system } from "./system/description.js";
export { SYSTEM_SCHEMA } from "./system/schema.js";
export { Captured } from "./top/captured.js";
export {
  type CoreReading,
  type ProcessReading,
  type Reading,
  type ThreadReading,
  Watch,
} from "./top/reading.js";
