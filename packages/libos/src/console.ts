/**
 * The console: lines of text to and from whoever sits at the machine.
 *
 * Lines have any length. One that does not fit a message travels as several, all but the last flagged
 * `more`; the server joins parts by badge and thread, and never mixes two lines. The line break is not
 * part of a line: the server adds it when writing and takes it off when reading.
 */
import type { Sys } from "@capos/abi";
import { bool, text, u16 } from "./fields.js";
import { protocol, requestLimit } from "./protocol.js";
import type { Steps } from "./steps.js";
import { splitText } from "./text.js";

/** The console service's protocol; guests use `Os.print` and `Os.readLine`. */
export const Console = /* @__PURE__ */ protocol("console", {
  /** A line or a part of one. */
  write: { request: { thread: u16, more: bool, text }, reply: {} },
  /**
   * Answered when a line, or a part of one, is there. After a part flagged `more` the rest of the line
   * is the same reader's. At the end of the input `end` is true, now and ever after; `text` is then what
   * was typed without a line break, mostly nothing.
   */
  read: { request: { thread: u16 }, reply: { more: bool, end: bool, text } },
});

/** A guest's view of the console. */
export interface ConsoleClient {
  /** Writes a line of any length. */
  writeLine(line: string): Steps<void>;
  /** Blocks until a line was typed; null at the end of the input. */
  readLine(): Steps<string | null>;
}

/** The console behind an endpoint capability, for the thread with this index in its process. */
export function consoleClient(sys: Sys, handle: number, threadIndex: number): ConsoleClient {
  const terminal = Console.client(sys, handle);
  const partBytes = requestLimit(Console, "write", "text");
  return {
    *writeLine(line) {
      const parts = splitText(line, partBytes);
      for (let i = 0; i < parts.length; i++) {
        yield* terminal.write({ thread: threadIndex, more: i + 1 < parts.length, text: parts[i] });
      }
    },
    *readLine() {
      let line = "";
      for (;;) {
        const part = yield* terminal.read({ thread: threadIndex });
        line += part.text;
        if (part.end) return line === "" ? null : line;
        if (!part.more) return line;
      }
    },
  };
}
