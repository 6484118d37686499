/**
 * The `sys` object of one thread: stubs that put operands into the register file and answer the number
 * to yield. They run on the guest's stack: arguments are coerced by the store into the file before the
 * kernel looks at anything, and nothing here is left half done if a call in it throws.
 */
import {
  BADGE_HAS_NO_SENDERS,
  BADGE_IS_NOTIFICATION,
  FaultWord,
  MAX_MESSAGE_WORDS,
  Reg,
  Right,
  type Sys,
  Trap,
  TrapShift,
} from "@capos/abi";
import { bufferOf, withoutPrototype } from "@capos/hal";
import type { MemoryAccess } from "./memory-access.js";

/** A count that no trap accepts, so that a bad one is refused by the kernel and not cut to fit. */
const BAD_COUNT = 0xff;

function counts(count: number): number {
  return (count >>> 0 > MAX_MESSAGE_WORDS ? BAD_COUNT : count >>> 0) << TrapShift.WORDS;
}

const { defineProperty, freeze } = Object;

/** In the place of an iterator of the message words, which have no length of their own either. */
const NO_ITERATOR: PropertyDescriptor = freeze({
  value: freeze(() => {
    throw new TypeError(
      "sys.words cannot be iterated: read words[0] to words[n - 1], n being what the trap answered",
    );
  }),
});

/** Makes the `sys` of a thread over its register file. */
export function makeSys(
  regs: Float64Array,
  memory: MemoryAccess,
  startWords: number,
  startText: string,
): Sys {
  // The message words alone: a guest that indexes past them meets the end of this view, not its registers.
  const words = withoutPrototype(new Float64Array(bufferOf(regs), 0, MAX_MESSAGE_WORDS));
  defineProperty(words, Symbol.iterator, NO_ITERATOR);

  /** The registers as they were at a fault; made at the first. */
  let kept: Float64Array | null = null;

  function put(a: number, b: number | undefined, c: number | undefined, d: number | undefined): number {
    regs[Reg.CAPABILITIES] = a;
    // What `narrowed` and `moved` say is of one message.
    regs[Reg.DROPPED_RIGHTS] = 0;
    regs[Reg.MOVED] = 0;
    if (b === undefined) return 1 << TrapShift.CAPABILITIES;
    regs[Reg.CAPABILITIES + 1] = b;
    if (c === undefined) return 2 << TrapShift.CAPABILITIES;
    regs[Reg.CAPABILITIES + 2] = c;
    if (d === undefined) return 3 << TrapShift.CAPABILITIES;
    regs[Reg.CAPABILITIES + 3] = d;
    return 4 << TrapShift.CAPABILITIES;
  }

  return Object.freeze({
    ...memory,
    words,
    startWords,
    startText,
    send(handle: number, count = 0, a?: number, b?: number, c?: number, d?: number): number {
      regs[Reg.HANDLE] = handle;
      return Trap.SEND | counts(count) | (a === undefined ? 0 : put(a, b, c, d));
    },
    recv(handle: number): number {
      regs[Reg.HANDLE] = handle;
      return Trap.RECV;
    },
    call(handle: number, count = 0, a?: number, b?: number, c?: number, d?: number): number {
      regs[Reg.HANDLE] = handle;
      return Trap.CALL | counts(count) | (a === undefined ? 0 : put(a, b, c, d));
    },
    reply(count = 0, a?: number, b?: number, c?: number, d?: number): number {
      regs[Reg.SECOND] = 0;
      return Trap.REPLY | counts(count) | (a === undefined ? 0 : put(a, b, c, d));
    },
    replyTo(reply: number, count = 0, a?: number, b?: number, c?: number, d?: number): number {
      regs[Reg.SECOND] = reply;
      return Trap.REPLY | counts(count) | (a === undefined ? 0 : put(a, b, c, d));
    },
    replyRecv(handle: number, count = 0, a?: number, b?: number, c?: number, d?: number): number {
      regs[Reg.HANDLE] = handle;
      return Trap.REPLY_RECV | counts(count) | (a === undefined ? 0 : put(a, b, c, d));
    },
    nbSend(handle: number, count = 0, a?: number, b?: number, c?: number, d?: number): number {
      regs[Reg.HANDLE] = handle;
      return Trap.NB_SEND | counts(count) | (a === undefined ? 0 : put(a, b, c, d));
    },
    nbRecv(handle: number): number {
      regs[Reg.HANDLE] = handle;
      return Trap.NB_RECV;
    },
    notify(handle: number): number {
      regs[Reg.HANDLE] = handle;
      return Trap.NOTIFY;
    },
    wait(handle: number): number {
      regs[Reg.HANDLE] = handle;
      return Trap.WAIT;
    },
    poll(handle: number): number {
      regs[Reg.HANDLE] = handle;
      return Trap.POLL;
    },
    yield(): number {
      return Trap.YIELD;
    },
    nothing(): number {
      return Trap.NULL;
    },
    exit(status: number): number {
      regs[Reg.SECOND] = status;
      return Trap.EXIT;
    },
    saveReply(index: number): number {
      regs[Reg.SECOND] = index;
      return Trap.SAVE_REPLY;
    },
    raiseFault(): number {
      kept ??= new Float64Array(Reg.COUNT);
      for (let i = 0; i < Reg.COUNT; i++) kept[i] = regs[i];
      regs[Reg.RECEIVE_COUNT] = 0;
      return Trap.FAULT | counts(FaultWord.COUNT);
    },
    endFault(): number {
      const answer = regs[Reg.WORDS];
      if (kept !== null) for (let i = 0; i < Reg.COUNT; i++) regs[i] = kept[i];
      return answer;
    },
    badge(): number {
      // The marks are multiples of 2^32.
      return regs[Reg.BADGE] % BADGE_IS_NOTIFICATION;
    },
    notified(): boolean {
      return regs[Reg.BADGE] >= BADGE_IS_NOTIFICATION && regs[Reg.BADGE] < BADGE_HAS_NO_SENDERS;
    },
    noSenders(): boolean {
      return regs[Reg.BADGE] >= BADGE_HAS_NO_SENDERS;
    },
    receiveInto(index: number, count: number): void {
      regs[Reg.RECEIVE_WINDOW] = index;
      regs[Reg.RECEIVE_COUNT] = count;
    },
    arrived(): number {
      return regs[Reg.ARRIVED];
    },
    capability(i: number): number {
      return i >= 0 && i < 4 ? regs[Reg.CAPABILITIES + (i | 0)] : 0;
    },
    unwrapped(i: number): boolean {
      return i >= 0 && i < 4 && ((regs[Reg.UNWRAPPED] >> (i | 0)) & 1) === 1;
    },
    narrowed(trap: number, i: number, rights: number): number {
      const dropped = (~rights & Right.ALL) << (8 * (i | 0));
      if (i >= 0 && i < 4) regs[Reg.DROPPED_RIGHTS] = (regs[Reg.DROPPED_RIGHTS] | dropped) >>> 0;
      return trap;
    },
    moved(trap: number, i: number): number {
      if (i >= 0 && i < 4) regs[Reg.MOVED] = regs[Reg.MOVED] | (1 << (i | 0));
      return trap;
    },
  });
}
