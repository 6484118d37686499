/** What stands in a core's history. */

/** One event of a history, as `DEBUG_RECORD` writes it and `DEBUG_HISTORY` answers it: words of a double each. */
export const enum HistoryWord {
  /** When the operation began, as its caller said, and when it was recorded: the machine's clock, in nanoseconds. */
  START_NS = 0,
  END_NS = 1,
  /** The thread's number times 64, plus its core. */
  THREAD = 2,
  KIND = 3,
  OBJECT = 4,
  A = 5,
  B = 6,
  C = 7,
  COUNT = 8,
}
