/**
 * What an operation of the running thread comes to. One convention for all of them: the status that the guest
 * will see is in `context.result` (with what else it is answered in its registers), and the function answers how
 * the thread goes on.
 */
export const enum Answer {
  /** It is done, or refused: the status says which. */
  DONE = 0,
  /** The thread waits, and does not run any more: whoever ends its wait writes the status. */
  BLOCKED = 1,
  /** The trap starts again from its decode, in the thread's next turn: see `startAgain`. */
  AGAIN = 2,
}
