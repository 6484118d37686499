/**
 * Machines for applications: boot one, run guests on it, inspect it, from this process or from another. Builds on the
 * host side of the hardware, the kernel's program, the servers' images and the image builder; knows no command line.
 */

export { IpcError } from "@capos/libos";
export { boot } from "./boot.js";
export { compileGuest } from "./compile-guest.js";
export { ConsoleText, consoleWriter } from "./console-text.js";
export { LOG_LEVELS, type LogLevelName } from "./defaults.js";
export { askMachine, chooseMachine, type LabelledMachine, labelledMachines } from "./door/ask.js";
export { type Door, type MachineLabel, openDoor } from "./door/door.js";
export { ExitStatus, MachineError, UsageError } from "./errors.js";
export { describeFault, type FaultText } from "./fault-text.js";
export { LineSplitter } from "./lines.js";
export { PRETTY } from "./log-sink.js";
export { CaposMachine } from "./machine.js";
export type {
  BootOptions,
  LastMoments,
  MachineReport,
  RunOptions,
  RunResult,
  SpawnOptions,
  WatchedMachine,
} from "./options.js";
export type { ConsoleStreams } from "./peer/console-streams.js";
export type { PeerContext } from "./peer/open-request.js";
export { Reference } from "./peer/reference.js";
export { Serving } from "./peer/serving.js";
export { readableOf, writableOf } from "./peer/streams.js";
export type {
  CallOptions,
  ClientOptions,
  PeerClient,
  PeerHandlers,
  ReferenceTransfer,
  ServeOptions,
} from "./peer/types.js";
export { Program } from "./program.js";
export { CORE_PROGRAM, TRACED_CORE_PROGRAM } from "./programs.js";
export { attachShell } from "./shell/attach.js";
export type { Shell, ShellEnd, ShellEvents, ShellOptions, ShellStart, ShellView } from "./shell/types.js";
export type { SystemOptions, SystemProgram } from "./system.js";
