/**
 * Options that every command has, checked as they are read.
 */
import { MAX_CORES, MAX_MEMORY_MIB, MIN_MEMORY_MIB } from "@capos/abi";
import { LOG_LEVELS, type LogLevelName } from "@capos/machine/defaults";
import { type Command, Option } from "commander";
import { integer, traceSize } from "./values.js";

/** The machine's options as commander parses them. */
export interface MachineFlags {
  readonly cores?: number;
  readonly memory?: number;
  readonly seed?: number;
  readonly watchdog?: number;
  readonly traceRing?: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly rawConsole?: boolean;
  readonly ownProcess?: boolean;
  readonly logLevel?: LogLevelName;
}

/** Adds the machine's options to a command. */
export function addMachineOptions(command: Command): Command {
  return command
    .option(
      "--cores <n>",
      `cores of the machine, 1 to ${MAX_CORES} (default: the hardware threads, at least 2)`,
      integer(1, MAX_CORES),
    )
    .option(
      "--memory <MiB>",
      `physical memory, ${MIN_MEMORY_MIB} to ${MAX_MEMORY_MIB} MiB (default: 256)`,
      integer(MIN_MEMORY_MIB, MAX_MEMORY_MIB),
    )
    .option("--seed <n>", "what guests that randomise start from (default: 1)", integer(0, 0x7fff_ffff))
    .option(
      "--watchdog <ms>",
      "CPU time a core may use between safe points (default: 2000)",
      integer(100, 600_000),
    )
    .option(
      "--trace-ring <KiB>",
      "each core's ring of events, for the trace of the last moments after a panic; 0 is off (default: 256; bench: 0)",
      traceSize,
    )
    .option("--json", "print one JSON document instead of text")
    .option("--quiet", "print results only: no boot phases, no progress, no log below error")
    .addOption(
      new Option("--log-level <level>", "the least urgent log records shown (default: info)").choices(
        LOG_LEVELS,
      ),
    );
}

/** Adds what commands have that run guests from files. */
export function addGuestOptions(command: Command): Command {
  return command
    .option("--no-check", "run them without a check of their types")
    .option("--own-process", "run the machine in a process of its own, which may end without this one")
    .option("--raw-console", "let programs send a terminal all they want, not just text and colours")
    .option(
      "--root <folder>",
      "where programs' files are: they can import none beside or above (default: each file's folder)",
    );
}
