/**
 * What a guest yields where an operation begins or ends, where it has run so long that a check of it looks whether
 * the core is wanted, or where it looks at memory. No traps: those are 0 and above.
 */
export const enum Instant {
  BEGIN = -1,
  END = -2,
  CHECK = -3,
  /** Less a word's index: answers what stands there. */
  LOOK = -4,
}
