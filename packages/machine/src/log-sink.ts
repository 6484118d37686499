/**
 * The far end of the log server: records become pino's, pretty on a terminal.
 */
import { visible } from "@capos/abi";
import { type DestinationStream, type Logger, pino } from "pino";
import { wantsColor } from "./color.js";
import { LOG_LEVELS, type LogLevelName } from "./defaults.js";
import { ExitStatus, MachineError } from "./errors.js";

/** One record as the log server writes it. */
interface LogRecord {
  readonly level: number;
  readonly process?: string;
  readonly thread?: number;
  readonly core?: number;
  readonly text: string;
}

/** How records look where people read them: what guests chose in them is made fit for a terminal. */
export const PRETTY = Object.freeze({
  ignore: "pid,hostname",
  translateTime: "HH:MM:ss.l",
  messageFormat: (record: Readonly<Record<string, unknown>>, key: string) =>
    visible(String(record[key] ?? "")),
  customPrettifiers: {
    process: (name: unknown) => visible(String(name)),
    line: (line: unknown) => visible(String(line)),
  },
});

/** Where records go: standard error, in JSON lines or, on a terminal, readable. Each is written before its call returns. */
export async function standardDestination(): Promise<DestinationStream> {
  const { isTTY } = process.stderr;
  const destination = pino.destination({ fd: 2, sync: true });
  // A full disk, a pipe that nobody reads: there is no better place to say so.
  destination.on("error", () => {});
  if (!isTTY) return destination;
  const { default: pretty } = await import("pino-pretty");
  return pretty({ destination, ...PRETTY, colorize: wantsColor(isTTY) });
}

/**
 * Makes a function that takes the log server's lines.
 * @throws MachineError in a process whose intrinsics are frozen: pino assigns to one
 */
export function logSink(level: LogLevelName, destination: DestinationStream): (line: string) => void {
  if (Object.isFrozen(Error))
    throw new MachineError(
      "this process's intrinsics are frozen: start Node without --frozen-intrinsics",
      ExitStatus.USAGE,
    );
  const logger: Logger = pino({ level, base: null }, destination);
  return (line) => {
    const record = parse(line);
    if (record === null) logger.warn({ line }, "the log server wrote something that is no record");
    else {
      const { process, thread, core, text } = record;
      logger[nearest(record.level)]({ core, process, thread }, text);
    }
  };
}

function parse(line: string): LogRecord | null {
  try {
    const value = JSON.parse(line) as LogRecord;
    return typeof value.level === "number" && typeof value.text === "string" ? value : null;
  } catch {
    return null;
  }
}

/** The name of the highest level that a number reaches. */
function nearest(level: number): Exclude<LogLevelName, "silent"> {
  const names = LOG_LEVELS.slice(0, -1) as Exclude<LogLevelName, "silent">[];
  const index = Math.min(Math.max(Math.floor(level / 10) - 1, 0), names.length - 1);
  return names[index];
}
