/** What a command's flags mean for the machines that it boots. */
import process from "node:process";
import { DEFAULT_MEMORY_MIB } from "@capos/abi";
import { type BootOptions, consoleWriter, PRETTY } from "@capos/machine";
import { defaultCores } from "@capos/machine/defaults";
import { UsageError } from "@capos/machine/errors";
import { MIN_TRACE_KIB } from "@capos/trace/size";
import type { DestinationStream } from "pino";
import type { Output, Session } from "../session.js";
import type { LabelledConsole } from "./labelled-console.js";
import type { MachineFlags } from "./options.js";

/** Of a machine's memory, how much its trace rings get at most unless told. */
const TRACE_SHARE = 1 / 8;
/** A ring that is emptied while it fills. */
const STREAMED_KIB = 4096;
/** A ring for the last moments. */
export const KEPT_KIB = 256;

const LAST_MOMENTS = new URL("../trace/last-moments.js", import.meta.url);

/** A size of trace rings that fits the machine; 0 if none does. */
function fittingKiB(most: number, flags: MachineFlags): number {
  const rings = (flags.cores ?? defaultCores()) + 1;
  const room = (flags.memory ?? DEFAULT_MEMORY_MIB) * 1024 * TRACE_SHARE;
  let kib = most;
  while (kib * rings > room) kib /= 2;
  return kib < MIN_TRACE_KIB ? 0 : kib;
}

/** Log records as text: readable on a terminal, else in JSON lines. */
async function logTo(output: Output): Promise<DestinationStream> {
  if (output.isTTY !== true) return { write: (record) => void output.write(record) };
  const { prettyFactory } = await import("pino-pretty");
  const pretty = prettyFactory({ ...PRETTY, colorize: output.hasColors === true });
  return { write: (record) => void output.write(pretty(record)) };
}

/**
 * What the flags mean for a machine. The kernel's own line goes to standard error: standard output is the result's.
 * @param usualTraceKiB the size of trace rings where neither flags nor session say one
 * @param labelled knows the programs that share the console, if several do
 * @throws UsageError for a process of its own while the session watches machines
 */
export async function bootOptions(
  flags: MachineFlags,
  session: Session,
  usualTraceKiB: number,
  labelled?: LabelledConsole,
): Promise<BootOptions> {
  if (flags.ownProcess === true && session.onMachine !== undefined)
    throw new UsageError("--own-process: top and trace see machines of their own process only");
  const quiet = flags.quiet === true;
  const write = (text: string): void => void session.stderr.write(text);
  const { isTTY, endsOnTerminal } = session.stdout;
  const toTerminal = (isTTY === true || endsOnTerminal === true) && flags.rawConsole !== true;
  return {
    ...(flags.cores !== undefined && { cores: flags.cores }),
    ...(flags.memory !== undefined && { memoryMiB: flags.memory }),
    ...(flags.seed !== undefined && { seed: flags.seed }),
    ...(flags.watchdog !== undefined && { watchdogMs: flags.watchdog }),
    ...(session.trace === undefined
      ? { traceKiB: flags.traceRing ?? fittingKiB(usualTraceKiB, flags), lastMoments: LAST_MOMENTS }
      : { traceKiB: fittingKiB(STREAMED_KIB, flags), ...session.trace }),
    inspectable: true,
    attachable: true,
    command: ["capos-smp", ...process.argv.slice(2)],
    logLevel: flags.logLevel ?? (quiet ? "error" : "info"),
    logDestination: session.log?.() ?? (await logTo(session.stderr)),
    ...(quiet ? { onPanic: write } : { onKernel: write }),
    onConsole:
      labelled === undefined || !toTerminal
        ? consoleWriter((text) => session.stdout.write(text), toTerminal)
        : (line) =>
            session.stdout.write(`${labelled.forTerminal(line, session.stdout.hasColors === true)}\n`),
    ...(session.onMachine !== undefined && { onMachine: session.onMachine }),
    ...(flags.ownProcess === true && { process: "own" }),
  };
}
