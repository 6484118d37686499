/**
 * REQUEUE: the priority of a thread has changed that asked another core. If it waits in a queue there, it is to stand
 * where its priority says.
 *
 * Its home has stored PRIORITY before anybody asks. The core that it asked either has it in a queue when the line comes,
 * and compares, or reads PRIORITY when it puts it there, which is later and finds the new one. So a line that comes too
 * early, too late, twice or to the wrong core does no harm: it names no queue, and moves nobody whose priority is what
 * it stands with. Whoever asks is answered when that is so.
 */
import { Err } from "@capos/abi";
import type { Context } from "@capos/engine";
import { Answer } from "../state/answer.js";
import type { Core } from "../state/core.js";
import { Endpoint, Message, Thread, ThreadState } from "../state/layout.js";
import type { LineRef, QueueRef, ThreadRef } from "../state/references.js";
import { answerStatus } from "./answer.js";
import { arbiterOf } from "./cancel.js";
import { beginAsking, publishLine, reserveLine, waitForRing } from "./line.js";
import { requeue } from "./queues.js";

export const enum RequeueLine {
  /** Who asks. */
  THREAD = 1,
  TARGET = 2,
}

/** The running thread has the core look that another thread asked, if that waits for one; it is answered OK. */
export function askRequeue(k: Core, thread: ThreadRef, context: Context, target: ThreadRef): Answer {
  const { i32 } = k;
  context.result = Err.OK;
  if (i32[target + Thread.STATE] !== ThreadState.REMOTE) return Answer.DONE;
  const to = arbiterOf(k, target);
  if (to === k.id) {
    requeueHere(k, target);
    return Answer.DONE;
  }
  const line = reserveLine(k, to);
  if (line === 0) return waitForRing(k, thread, to);
  i32[line + RequeueLine.THREAD] = thread;
  i32[line + RequeueLine.TARGET] = target;
  beginAsking(k, thread, to);
  publishLine(k, to, line, Message.REQUEUE);
  return Answer.BLOCKED;
}

/** The core of a queue that a thread may wait in. */
export function onRequeue(k: Core, line: LineRef): void {
  requeueHere(k, k.i32[line + RequeueLine.TARGET] as ThreadRef);
  answerStatus(k, k.i32[line + RequeueLine.THREAD] as ThreadRef, Err.OK);
}

/** Moves a thread if it waits in a queue of this core. Only this core puts it there and takes it out, so it stays while this looks. */
export function requeueHere(k: Core, target: ThreadRef): void {
  const object = k.i32[target + Thread.QUEUE] as QueueRef | 0;
  if (object !== 0 && k.i32[object + Endpoint.HOME] === k.id) requeue(k, object, target);
}
