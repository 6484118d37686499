/**
 * The machine's own objects as functions: interrupts, serial devices, the Debug capability. As in `invoke.ts`.
 */
import { BYTES_PER_WORD, MAX_MESSAGE_WORDS, Method, packBytes, type Sys, unpackBytes } from "@capos/abi";
import { argumentText, invoke, PAYLOAD_BYTES } from "./invocation.js";
import type { Steps } from "./steps.js";
import { splitText } from "./text.js";

/** Interrupt handlers. */
export const irq = {
  /** Has the interrupt signal a notification from now on. Nothing has to be acknowledged. */
  *bind(sys: Sys, handle: number, notification: number): Steps<void> {
    sys.words[1] = notification;
    yield* invoke(sys, "bind interrupt", handle, Method.IRQ_BIND, 2);
  },
};

/** Ports: bytes to and from a serial device of the host. */
export const port = {
  /** The most bytes that one `write` takes. */
  MAX_BYTES: PAYLOAD_BYTES,

  /** Writes `bytes[from..to)`, at most 372 of them; gives how many the device took, which may be fewer. */
  *write(sys: Sys, handle: number, bytes: readonly number[], from = 0, to = bytes.length): Steps<number> {
    const end = Math.min(to, from + PAYLOAD_BYTES);
    sys.words[1] = end - from;
    const packed = packBytes(sys.words, 2, bytes, from, end);
    yield* invoke(sys, "write port", handle, Method.PORT_WRITE, 2 + packed);
    return sys.words[0]!;
  },

  /** Takes what has come, at most 378 bytes, none if nothing has; null at the end of the input. */
  *read(sys: Sys, handle: number): Steps<number[] | null> {
    yield* invoke(sys, "read port", handle, Method.PORT_READ);
    if (sys.words[0]! < 0) return null;
    const bytes: number[] = [];
    unpackBytes(sys.words, 1, Math.min(sys.words[0]!, (MAX_MESSAGE_WORDS - 1) * BYTES_PER_WORD), bytes, 0);
    return bytes;
  },
};

/** What the machine is made of. */
export interface Machine {
  readonly cores: number;
  readonly hardwareThreads: number;
  readonly memoryMiB: number;
  /** The core that the caller runs on. */
  readonly core: number;
}

/** What one core has done since the machine started. */
export interface CoreCounters {
  readonly traps: number;
  readonly contextSwitches: number;
  readonly gracePeriods: number;
  readonly halts: number;
  readonly messagesIn: number;
  readonly messagesOut: number;
}

/** The machine itself, for whoever holds the Debug capability. */
export const debug = {
  /** The machine's clock, in nanoseconds. */
  *clock(sys: Sys, handle: number): Steps<number> {
    yield* invoke(sys, "clock", handle, Method.DEBUG_CLOCK);
    return sys.words[0]!;
  },

  /** Bytes in use on this core's JavaScript heap. */
  *heap(sys: Sys, handle: number): Steps<number> {
    yield* invoke(sys, "heap", handle, Method.DEBUG_HEAP);
    return sys.words[0]!;
  },

  /** Writes a text of any length to the kernel's own log, as several records if it is longer than 372 bytes. */
  *print(sys: Sys, handle: number, text: string): Steps<void> {
    for (const part of splitText(text, PAYLOAD_BYTES)) {
      const count = argumentText(sys, 1, "print", part, PAYLOAD_BYTES);
      yield* invoke(sys, "print", handle, Method.DEBUG_PRINT, count);
    }
  },

  /** Stops the machine; its process exits with `status`. */
  *halt(sys: Sys, handle: number, status: number): Steps<void> {
    sys.words[1] = status;
    yield* invoke(sys, "halt", handle, Method.DEBUG_HALT, 2);
  },

  *machine(sys: Sys, handle: number): Steps<Machine> {
    const { words } = sys;
    yield* invoke(sys, "machine", handle, Method.DEBUG_MACHINE);
    return { cores: words[0]!, hardwareThreads: words[1]!, memoryMiB: words[2]!, core: words[3]! };
  },

  /** Blocks until one grace period has passed; gives its number. */
  *gracePeriod(sys: Sys, handle: number): Steps<number> {
    yield* invoke(sys, "grace period", handle, Method.DEBUG_GRACE_PERIOD);
    return sys.words[0]!;
  },

  /** Prints the dump of the whole machine on the kernel's own line. */
  *dump(sys: Sys, handle: number): Steps<void> {
    yield* invoke(sys, "dump", handle, Method.DEBUG_DUMP);
  },

  /** Stops the machine with a dump. A text longer than 372 bytes is cut. */
  *panic(sys: Sys, handle: number, text: string): Steps<void> {
    const count = argumentText(sys, 1, "panic", splitText(text, PAYLOAD_BYTES)[0]!, PAYLOAD_BYTES);
    yield* invoke(sys, "panic", handle, Method.DEBUG_PANIC, count);
  },

  *core(sys: Sys, handle: number, core: number): Steps<CoreCounters> {
    const { words } = sys;
    words[1] = core;
    yield* invoke(sys, "core counters", handle, Method.DEBUG_CORE, 2);
    return {
      traps: words[0]!,
      contextSwitches: words[1]!,
      gracePeriods: words[2]!,
      halts: words[3]!,
      messagesIn: words[4]!,
      messagesOut: words[5]!,
    };
  },
};
