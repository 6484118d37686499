/**
 * What a thread asks of an object's home through a slot: the part that SEND, RECEIVE and WAIT have in common.
 *
 * What the thread's core saw when it looked the slot up may be over when the request is met: the home checks the slot
 * again, and a request that has come to a former home goes back, to start again from its handle.
 */
import { Err, Reg, Slot } from "@capos/abi";
import type { Context } from "@capos/engine";
import { slotStillNames } from "../capability/lookup.js";
import { homeOf } from "../smp/home.js";
import { Answer } from "../state/answer.js";
import { TRACED } from "../state/build.js";
import type { Core } from "../state/core.js";
import { Endpoint, Internal, KernelCore, type Message, MessageFlag, Thread } from "../state/layout.js";
import type { LineRef, QueueRef, SlotRef, ThreadRef } from "../state/references.js";
import { TraceEvent } from "../state/trace-events.js";
import { answerStatus } from "./answer.js";
import { beginAsking, publishLine, reserveLine, waitForRing } from "./line.js";

/** What lines of SEND, RECEIVE and WAIT begin with. */
export const enum RequestLine {
  THREAD = 1,
  /** The endpoint or notification. */
  OBJECT = 2,
  SLOT = 3,
  GENERATION = 4,
}

/** Says in a line who asks, and through what. */
export function fillRequest(
  k: Core,
  line: LineRef,
  thread: ThreadRef,
  slot: SlotRef,
  object: QueueRef,
): void {
  const { i32 } = k;
  i32[line + RequestLine.THREAD] = thread;
  i32[line + RequestLine.OBJECT] = object;
  i32[line + RequestLine.SLOT] = slot;
  i32[line + RequestLine.GENERATION] = i32[slot + Slot.GENERATION];
}

/** Asks to receive at an endpoint (`Message.RECEIVE`) or to wait at a notification (`Message.WAIT`) at home elsewhere. */
export function askToWait(
  k: Core,
  thread: ThreadRef,
  context: Context,
  slot: SlotRef,
  object: QueueRef,
  kind: Message.RECEIVE | Message.WAIT,
  blocking: boolean,
): Answer {
  const { i32 } = k;
  const to = homeOf(k, object);
  // It has just become this core's.
  if (to === k.id) return Answer.AGAIN;
  const line = reserveLine(k, to);
  if (line === 0 && !blocking) {
    context.result = Err.WOULD_BLOCK;
    return Answer.DONE;
  }
  if (line === 0) return waitForRing(k, thread, to);
  i32[thread + Thread.RECEIVE_WINDOW] = context.regs[Reg.RECEIVE_WINDOW];
  i32[thread + Thread.RECEIVE_COUNT] = context.regs[Reg.RECEIVE_COUNT];
  fillRequest(k, line, thread, slot, object);
  beginAsking(k, thread, to);
  // The home follows who receives, but once: of two that receive on two cores each could take it from the other
  // just before that one's trap starts again, and neither would ever come to wait.
  const stay = k.restarted ? MessageFlag.STAY : 0;
  publishLine(k, to, line, kind | stay | (blocking ? 0 : MessageFlag.NON_BLOCKING));
  return Answer.BLOCKED;
}

/**
 * True if a request has come to the home of its object through a slot that still names it. If not the
 * thread is answered: it tries again, or its capability is gone.
 */
export function isHereAndGood(k: Core, line: LineRef): boolean {
  const { i32 } = k;
  const thread = i32[line + RequestLine.THREAD] as ThreadRef;
  const object = i32[line + RequestLine.OBJECT] as QueueRef;
  // Endpoint and notification keep HOME at the same offset.
  if (i32[object + Endpoint.HOME] !== k.id) {
    i32[k.area + KernelCore.BOUNCES]++;
    if (TRACED) k.tracer.put2(TraceEvent.BOUNCE, i32[thread + Thread.NUMBER], object);
    answerStatus(k, thread, Internal.RETRY);
    return false;
  }
  // The instant of transfer: what the thread's core saw when it looked the slot up may be over.
  if (slotStillNames(k, i32[line + RequestLine.SLOT] as SlotRef, i32[line + RequestLine.GENERATION], object))
    return true;
  answerStatus(k, thread, Err.REVOKED);
  return false;
}
