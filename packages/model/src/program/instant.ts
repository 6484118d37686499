/**
 * What a guest yields where an operation begins or ends, where it has run so long that a check of it looks whether
 * the core is wanted, where it loads or stores, or where it looks at the machine's memory. No traps: those are 0 and above.
 */
export const enum Instant {
  BEGIN = -1,
  END = -2,
  CHECK = -3,
  /** Of what `CheckedHost.access` says. */
  LOAD = -4,
  STORE = -5,
  /** Less a word's index: answers what stands there. */
  LOOK = -6,
}
