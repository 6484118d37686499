/** What a guest yields where an operation begins or ends, or where it looks at memory. No traps: those are 0 and above. */
export const enum Instant {
  BEGIN = -1,
  END = -2,
  /** Less a word's index: answers what stands there. */
  LOOK = -3,
}
