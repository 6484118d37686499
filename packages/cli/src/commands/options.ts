/**
 * Options that every command has, checked as they are read.
 */
import { DEFAULT_MEMORY_MIB, MAX_CORES, MAX_MEMORY_MIB, MIN_MEMORY_MIB } from "@capos/abi";
import { MIN_TRACE_KIB } from "@capos/hal";
import { type Command, Option } from "commander";
import type { BootOptions } from "../boot.js";
import { defaultCores } from "../default-cores.js";
import { LOG_LEVELS, type LogLevelName } from "../log-levels.js";
import type { Session } from "../session.js";
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
      "how long a core may go without a safe point (default: 2000)",
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

/** Of a machine's memory, how much its trace rings get at most unless told. */
const TRACE_SHARE = 1 / 8;
/** A ring that is emptied while it fills. */
const STREAMED_KIB = 4096;
/** A ring for the last moments. */
export const KEPT_KIB = 256;

/** A size of trace rings that fits the machine; 0 if none does. */
function fittingKiB(most: number, flags: MachineFlags): number {
  const rings = (flags.cores ?? defaultCores()) + 1;
  const room = (flags.memory ?? DEFAULT_MEMORY_MIB) * 1024 * TRACE_SHARE;
  let kib = most;
  while (kib * rings > room) kib /= 2;
  return kib < MIN_TRACE_KIB ? 0 : kib;
}

/**
 * What the flags mean for a machine. The kernel's own line goes to standard error: standard output is the result's.
 * @param usualTraceKiB the size of trace rings where neither flags nor session say one
 */
export function bootOptions(flags: MachineFlags, session: Session, usualTraceKiB: number): BootOptions {
  const quiet = flags.quiet === true;
  const write = (text: string): void => void session.stderr.write(text);
  return {
    ...(flags.cores !== undefined && { cores: flags.cores }),
    ...(flags.memory !== undefined && { memoryMiB: flags.memory }),
    ...(flags.seed !== undefined && { seed: flags.seed }),
    ...(flags.watchdog !== undefined && { watchdogMs: flags.watchdog }),
    ...(session.trace === undefined
      ? { traceKiB: flags.traceRing ?? fittingKiB(usualTraceKiB, flags), traceFolder: "" }
      : { traceKiB: fittingKiB(STREAMED_KIB, flags), ...session.trace }),
    inspectable: true,
    logLevel: flags.logLevel ?? (quiet ? "error" : "info"),
    ...(session.log !== undefined && { logDestination: session.log() }),
    ...(quiet ? { onPanic: write } : { onKernel: write }),
    onConsole: (line) => void session.stdout.write(`${line}\n`),
    ...(session.onMachine !== undefined && { onMachine: session.onMachine }),
  };
}
