/** What a step of a reaper's work came to. */
export const enum Step {
  /** This work is done. */
  DONE = 0,
  /** There is more to do at once. */
  MORE = 1,
  /** Something has to happen that raises a bit of this core's attention word. */
  WAIT = 2,
  /** A grace period has to pass first. */
  GRACE = 3,
}
