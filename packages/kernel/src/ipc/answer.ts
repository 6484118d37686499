/**
 * Answers between cores: each request gets exactly one, a call its reply. They never wait for room: one that finds
 * the ring full goes into a list threaded through the thread it is for (the outbox), and leaves when there is room.
 *
 * While a thread is REMOTE, its queue fields, message words and answer fields are lent to the core it asked.
 */
import { Reg } from "@capos/abi";
import { Attention, raise } from "@capos/hal";
import { arrivedOf, unwrappedOf } from "../capability/transfer.js";
import { enqueue, restart, wake } from "../sched/run-queue.js";
import { type Core, contextOf } from "../state/core.js";
import { Internal, KernelArea, Message, MessageFlag, Thread, ThreadState } from "../state/layout.js";
import { copyWords, lineWords, threadCapabilities, threadWords } from "../state/message.js";
import type { CoreId, LineRef, ThreadRef } from "../state/references.js";
import { publishLine, reserveLine, wantSpace } from "./line.js";
import { tellNoSenders } from "./no-senders.js";

/** What an answer (ANSWER) or a reply to a call (REPLY) says. */
export const enum AnswerLine {
  THREAD = 1,
  /** Which request it answers: the thread's SEQUENCE, or the CALL_NUMBER of a call. */
  NUMBER = 2,
  /** A count of words, an `Err`, or an `Internal`. */
  STATUS = 3,
  COUNT = 4,
  BADGE = 5,
  /** What `transferCapabilities` answered, or NO_SENDERS. */
  ARRIVED = 6,
  /** Words of a reply that fits: doubles. */
  WORDS = 8,
}

/** In place of what arrived: no message came, the badge has no senders left. */
export const NO_SENDERS = -1;

/** Answers a thread's request with a status alone. */
export function answerStatus(k: Core, thread: ThreadRef, status: number): void {
  sendAnswer(k, thread, Message.ANSWER, status, k.i32[thread + Thread.SEQUENCE], 0, 0, 0);
}

/** Answers a receive or wait: the words are in the thread object. */
export function answerMessage(
  k: Core,
  thread: ThreadRef,
  count: number,
  badge: number,
  arrived: number,
): void {
  const kind = Message.ANSWER | MessageFlag.IN_THREAD;
  sendAnswer(k, thread, kind, count, k.i32[thread + Thread.SEQUENCE], count, badge, arrived);
}

/** Sends an answer whose words, if it has some, are in the thread object; at once, or when there is room. */
export function sendAnswer(
  k: Core,
  thread: ThreadRef,
  kind: number,
  status: number,
  number: number,
  count: number,
  badge: number,
  arrived: number,
): void {
  const { i32 } = k;
  const to = i32[thread + Thread.HOME] as CoreId;
  i32[thread + Thread.ANSWER_KIND] = kind;
  i32[thread + Thread.ANSWER_STATUS] = status;
  i32[thread + Thread.ANSWER_NUMBER] = number;
  i32[thread + Thread.ANSWER_COUNT] = count;
  i32[thread + Thread.ANSWER_BADGE] = badge;
  i32[thread + Thread.ANSWER_ARRIVED] = arrived;
  const line = reserveLine(k, to);
  if (line !== 0) {
    fillAnswer(k, to, line, thread);
    return;
  }
  const outbox = k.kernelArea + KernelArea.OUTBOX_HEAD + to;
  i32[thread + Thread.ANSWER_NEXT] = 0;
  if (i32[outbox] === 0) i32[outbox] = thread;
  else i32[i32[outbox + KernelArea.OUTBOX_TAIL - KernelArea.OUTBOX_HEAD] + Thread.ANSWER_NEXT] = thread;
  i32[outbox + KernelArea.OUTBOX_TAIL - KernelArea.OUTBOX_HEAD] = thread;
  k.backlog++;
  wantSpace(k, to);
}

function fillAnswer(k: Core, to: CoreId, line: LineRef, thread: ThreadRef): void {
  const { i32 } = k;
  i32[line + AnswerLine.THREAD] = thread;
  i32[line + AnswerLine.NUMBER] = i32[thread + Thread.ANSWER_NUMBER];
  i32[line + AnswerLine.STATUS] = i32[thread + Thread.ANSWER_STATUS];
  i32[line + AnswerLine.COUNT] = i32[thread + Thread.ANSWER_COUNT];
  i32[line + AnswerLine.BADGE] = i32[thread + Thread.ANSWER_BADGE];
  i32[line + AnswerLine.ARRIVED] = i32[thread + Thread.ANSWER_ARRIVED];
  publishLine(k, to, line, i32[thread + Thread.ANSWER_KIND]);
}

/** Sends answers to a core that wait for room, as far as there is room now; true if some still do. */
export function flushAnswers(k: Core, to: CoreId): boolean {
  const { i32 } = k;
  const outbox = k.kernelArea + KernelArea.OUTBOX_HEAD + to;
  for (let thread = i32[outbox] as ThreadRef | 0; thread !== 0; thread = i32[outbox] as ThreadRef | 0) {
    const line = k.ring.reserve(to) as LineRef | 0;
    if (line === 0) return true;
    i32[outbox] = i32[thread + Thread.ANSWER_NEXT];
    fillAnswer(k, to, line, thread);
    k.backlog--;
  }
  return false;
}

/** The answer to anything but a call has come. True if it was the last that a dying thread was owed. */
export function onAnswer(k: Core, line: LineRef, kind: number): boolean {
  const { i32 } = k;
  const thread = i32[line + AnswerLine.THREAD] as ThreadRef;
  if (i32[thread + Thread.SEQUENCE] !== i32[line + AnswerLine.NUMBER]) return false;
  const state = i32[thread + Thread.STATE];
  if (state === ThreadState.DYING) return true;
  if (state !== ThreadState.REMOTE) return false;
  // What was lent is its own again, and a cancellation that is on its way comes too late: see onCancel.
  Atomics.add(i32, thread + Thread.SEQUENCE, 1);
  const status = i32[line + AnswerLine.STATUS];
  if (status === Internal.RETRY || status === Internal.CANCELLED) {
    // Only the registers survive: the trap starts again from its handle.
    contextOf(k, thread).foundEpoch = -1;
    restart(k, thread);
  } else if ((kind & MessageFlag.IN_THREAD) === 0) {
    contextOf(k, thread).result = status;
    wake(k, thread);
  } else finishAsking(k, line, kind, thread);
  return false;
}

/** What a thread asked is answered: words, from the line or from the thread object, and what came with them. */
export function finishAsking(k: Core, line: LineRef, kind: number, thread: ThreadRef): void {
  const { i32 } = k;
  const context = contextOf(k, thread);
  const { regs } = context;
  const wordsAt = (kind & MessageFlag.IN_THREAD) !== 0 ? threadWords(thread) : lineWords(line);
  copyWords(regs, Reg.WORDS, k.f64, wordsAt, i32[line + AnswerLine.COUNT]);
  context.result = i32[line + AnswerLine.STATUS];
  const badge = i32[line + AnswerLine.BADGE] >>> 0;
  const arrived = i32[line + AnswerLine.ARRIVED];
  if (arrived === NO_SENDERS) tellNoSenders(context, badge);
  else {
    regs[Reg.BADGE] = badge;
    regs[Reg.ARRIVED] = arrivedOf(arrived);
    if (arrived !== 0) {
      regs[Reg.UNWRAPPED] = unwrappedOf(arrived);
      copyWords(regs, Reg.CAPABILITIES, k.f64, threadCapabilities(thread), arrivedOf(arrived));
    }
  }
  wake(k, thread);
}

/**
 * Ends the wait of a thread that is in no queue any more, in the middle of another's trap: that one must
 * not lose the core before it is done, or it would be ready and in a queue at once. So a thread that is
 * more urgent gets its turn at the next safe point.
 */
export function finishWait(k: Core, thread: ThreadRef, status: number): void {
  if (k.i32[thread + Thread.HOME] === k.id) {
    contextOf(k, thread).result = status;
    enqueue(k, thread);
    raise(k.memory, k.attention, Attention.POKE);
  } else answerStatus(k, thread, status);
}
