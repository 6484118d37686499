/**
 * The log: leveled records of text, written by everybody, kept by the log server.
 *
 * The badge of the capability that a record came through says which process wrote it. A text longer
 * than one message comes as several, all but the last flagged `more`; since threads of a process share
 * the badge, each message also says which thread it is from, and parts are joined by both.
 */
import type { Sys } from "@capos/abi";
import { bool, text, u8, u16 } from "./fields.js";
import { protocol, requestLimit } from "./protocol.js";
import type { Steps } from "./steps.js";
import { splitText } from "./text.js";

/** The log service's protocol; guests use `Os.log`. */
export const Log = /* @__PURE__ */ protocol("log", {
  /** One record or a part of one. `level` is one of `LogLevel`, or a number between two of them. */
  write: { request: { level: u8, thread: u16, more: bool, text }, reply: {} },
});

/** How much a record matters; the numbers are pino's. */
export const enum LogLevel {
  TRACE = 10,
  DEBUG = 20,
  INFO = 30,
  WARN = 40,
  ERROR = 50,
  FATAL = 60,
}

const LEVEL_NAMES: Readonly<Record<number, string>> = /* @__PURE__ */ Object.freeze({
  [LogLevel.TRACE]: "trace",
  [LogLevel.DEBUG]: "debug",
  [LogLevel.INFO]: "info",
  [LogLevel.WARN]: "warn",
  [LogLevel.ERROR]: "error",
  [LogLevel.FATAL]: "fatal",
});

/** The name of a level. */
export function levelName(level: number): string {
  return LEVEL_NAMES[level] ?? `level ${level}`;
}

/** A guest's view of the log. */
export interface LogClient {
  /** Writes a record of any length with a level from 0 to 255. */
  write(level: number, text: string): Steps<void>;
  trace(text: string): Steps<void>;
  debug(text: string): Steps<void>;
  info(text: string): Steps<void>;
  warn(text: string): Steps<void>;
  error(text: string): Steps<void>;
  fatal(text: string): Steps<void>;
}

/** The log behind an endpoint capability, for the thread with this index in its process. */
export function logClient(sys: Sys, handle: number, threadIndex: number): LogClient {
  const log = Log.client(sys, handle);
  const partBytes = requestLimit(Log, "write", "text");

  function* write(level: number, whole: string): Steps<void> {
    const parts = splitText(whole, partBytes);
    for (let i = 0; i < parts.length; i++) {
      yield* log.write({ level, thread: threadIndex, more: i + 1 < parts.length, text: parts[i] });
    }
  }

  return {
    write,
    trace: (record) => write(LogLevel.TRACE, record),
    debug: (record) => write(LogLevel.DEBUG, record),
    info: (record) => write(LogLevel.INFO, record),
    warn: (record) => write(LogLevel.WARN, record),
    error: (record) => write(LogLevel.ERROR, record),
    fatal: (record) => write(LogLevel.FATAL, record),
  };
}
