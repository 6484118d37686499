/** What a judge has to say against a machine. */
import type { StressEvent } from "./event.js";

export interface Finding {
  /** The rule that was broken. */
  readonly rule: string;
  /** The fewest events that show it, in the order of their begins; none if it is no event that shows it. */
  readonly excerpt: readonly StressEvent[];
  /** What else is to be said, a line each. */
  readonly details?: readonly string[];
}
