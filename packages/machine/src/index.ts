/**
 * Machines for applications: boot one, run guests on it, inspect it, from this process or from another. Builds on the
 * host side of the hardware, the kernel's program, the servers' images and the image builder; knows no command line.
 */
export {
  type BootOptions,
  boot,
  CaposMachine,
  compileGuest,
  type LastMoments,
  type MachineReport,
  type RunOptions,
  type RunResult,
  type WatchedMachine,
} from "./boot.js";
export { LOG_LEVELS, type LogLevelName } from "./defaults.js";
export { askMachine, chooseMachine } from "./door/ask.js";
export { type Door, openDoor } from "./door/door.js";
export { ExitStatus, MachineError, UsageError } from "./errors.js";
export { LineSplitter } from "./lines.js";
export { PRETTY } from "./log-sink.js";
export { CORE_PROGRAM, TRACED_CORE_PROGRAM } from "./programs.js";
