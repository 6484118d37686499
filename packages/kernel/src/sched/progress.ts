/**
 * Traps of several phases. Only a thread's registers survive a wait; how far such a trap has come is one of
 * them, kept in the thread object for the time between its first dispatch and its last.
 */
import type { Core } from "../state/core.js";
import { Restart, Thread } from "../state/layout.js";
import type { ThreadRef } from "../state/references.js";
import { preempt } from "./run-queue.js";

/** What the running trap noted before it waited; 0 when it is dispatched for the first time. */
export function progressOf(k: Core, thread: ThreadRef): number {
  if (!k.restarted) k.i32[thread + Thread.PROGRESS] = 0;
  return k.i32[thread + Thread.PROGRESS];
}

/** What `Answer.AGAIN` means: the thread's trap goes on in its next turn; whoever is more urgent runs before. */
export function startAgain(k: Core, thread: ThreadRef): void {
  k.i32[thread + Thread.RESTART] = Restart.TRAP;
  // Told of the end of another it may have lost the core already: then it is in the queue.
  if (k.current === thread) preempt(k);
}
