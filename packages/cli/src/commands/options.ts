/**
 * Options that every command has, checked as they are read.
 */

import process from "node:process";
import { MAX_CORES, MAX_MEMORY_MIB, MIN_MEMORY_MIB } from "@capos/abi";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { BootOptions } from "../boot.js";
import { LOG_LEVELS, type LogLevelName } from "../log-sink.js";

/** The machine's options as commander parses them. */
export interface MachineFlags {
  readonly cores?: number;
  readonly memory?: number;
  readonly seed?: number;
  readonly watchdog?: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly logLevel?: LogLevelName;
}

/** Reads a whole number of a range. */
export function integer(low: number, high: number) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isInteger(value) || value < low || value > high) {
      throw new InvalidArgumentError(`A whole number from ${low} to ${high} is needed.`);
    }
    return value;
  };
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
      "how long a core may go without a safe point (default: 2000)",
      integer(100, 600_000),
    )
    .option("--json", "print one JSON document instead of text")
    .option("--quiet", "print results only: no boot phases, no progress, no log below error")
    .addOption(
      new Option("--log-level <level>", "the least urgent log records shown (default: info)").choices(
        LOG_LEVELS,
      ),
    );
}

/** What the flags mean for a machine. The kernel's own line goes to standard error: standard output is the result's. */
export function bootOptions(flags: MachineFlags): BootOptions {
  const quiet = flags.quiet === true;
  return {
    ...(flags.cores !== undefined && { cores: flags.cores }),
    ...(flags.memory !== undefined && { memoryMiB: flags.memory }),
    ...(flags.seed !== undefined && { seed: flags.seed }),
    ...(flags.watchdog !== undefined && { watchdogMs: flags.watchdog }),
    inspectable: true,
    logLevel: flags.logLevel ?? (quiet ? "error" : "info"),
    ...(!quiet && { onKernel: (text: string) => void process.stderr.write(text) }),
  };
}
