/**
 * What arrives from other cores: rings drained at a safe point, each line handled in the room of its protocol.
 */
import { Attention, RINGS_SHIFT } from "@capos/hal";
import { AnswerLine, onAnswer } from "../ipc/answer.js";
import { onCancel } from "../ipc/cancel.js";
import { onReceive, onSend } from "../ipc/endpoint.js";
import { NudgeLine, nudge, onRehome, onWait } from "../ipc/notification.js";
import { onReply } from "../ipc/reply.js";
import { onRequeue } from "../ipc/requeue.js";
import { onInvoke } from "../object/thread.js";
import { finishDeath } from "../object/thread-end.js";
import { ringDoorbell } from "../smp/doorbell.js";
import { TRACED } from "../state/build.js";
import { beginCommit, endCommit } from "../state/commit.js";
import type { Core } from "../state/core.js";
import { KernelPanic } from "../state/kernel-panic.js";
import { KernelArea, KernelCore, Message, MessageFlag } from "../state/layout.js";
import type { CoreId, LineRef, NotificationRef, ThreadRef } from "../state/references.js";
import { tracePop } from "../state/trace.js";

/**
 * Drains the rings whose bells were in the attention word, each up to one lap: all lines that were there
 * when the safe point began, and never an endless stream.
 */
export function drainRings(k: Core, attention: number): void {
  const group = k.ringGroup;
  for (let bells = (attention & Attention.RINGS) >>> RINGS_SHIFT; bells !== 0; bells &= bells - 1) {
    const first = (31 - Math.clz32(bells & -bells)) * group;
    for (let from = first; from < first + group && from < k.coreCount; from++) drain(k, from);
  }
  // Who finds its ring full says so and pokes.
  if ((attention & Attention.POKE) !== 0) ringBack(k);
}

function drain(k: Core, from: number): void {
  const { i32 } = k;
  for (let i = k.ring.lines; i > 0; i--) {
    const line = k.ring.peek(from) as LineRef | 0;
    if (line === 0) return;
    i32[k.area + KernelCore.MESSAGES_IN]++;
    if (TRACED) tracePop(k, from, line);
    // The line is read and given back within the handling of this one message: nothing refers to it later.
    beginCommit(k);
    accept(k, line, k.ring.kind(line));
    k.ring.release(from);
    endCommit(k);
  }
  // A lap was not enough: come again at the next safe point.
  k.ring.keepPending(from);
}

/** Tells producers that found their ring full that there is room. */
function ringBack(k: Core): void {
  for (let half = 0; half * 32 < k.coreCount; half++) {
    const word = k.kernelArea + KernelArea.SPACE_WANTED + half;
    if (Atomics.load(k.i32, word) === 0) continue;
    for (let mask = Atomics.exchange(k.i32, word, 0); mask !== 0; mask &= mask - 1) {
      ringDoorbell(k, (half * 32 + 31 - Math.clz32(mask & -mask)) as CoreId, Attention.POKE);
    }
  }
}

function accept(k: Core, line: LineRef, kind: number): void {
  switch (kind & MessageFlag.KIND_MASK) {
    case Message.SEND:
      onSend(k, line, kind);
      break;
    case Message.REPLY:
      if (onReply(k, line, kind)) finishDeath(k, k.i32[line + AnswerLine.THREAD] as ThreadRef);
      break;
    case Message.ANSWER:
      if (onAnswer(k, line, kind)) finishDeath(k, k.i32[line + AnswerLine.THREAD] as ThreadRef);
      break;
    case Message.RECEIVE:
      onReceive(k, line, kind);
      break;
    case Message.WAIT:
      onWait(k, line, kind);
      break;
    case Message.NUDGE:
      nudge(k, k.i32[line + NudgeLine.NOTIFICATION] as NotificationRef);
      break;
    case Message.CANCEL:
      onCancel(k, line);
      break;
    case Message.INVOKE:
      onInvoke(k, line);
      break;
    case Message.REHOME:
      onRehome(k, line);
      break;
    case Message.REQUEUE:
      onRequeue(k, line);
      break;
    default:
      throw new KernelPanic(`a ring line of kind ${kind}`);
  }
}
