/** What a survey asks of a worker, and what comes back. Everything here crosses threads. */
import type { Subject } from "../campaign/catalogue.js";
import type { Failure, Strategy } from "../explore/types.js";
import type { Whole } from "../explore/whole.js";

export interface SurveyTask extends Subject {
  /** Address of the module that opens scenarios: an `Opener`. */
  readonly opener: string;
  readonly strategy: Strategy;
  /** Most schedules to run, those that are cut off too; infinitely many for a strategy that ends. */
  readonly schedules: number;
  /** Most time for making a counter-example simpler, in seconds; 0 leaves it as it was found. */
  readonly minimiseSeconds: number;
}

/** What a search came to, on one thread. But for the times, and how simple a limit of time let it get, always the same. */
export interface Surveyed extends Whole {
  /** Time of the transformation (0 if the program was there), and of the search. */
  readonly prepareMs: number;
  readonly searchMs: number;
  /** The failure made simpler, and whether no schedule with fewer preemptions fails like that; null if not asked for. */
  readonly minimal: { readonly failure: Failure; readonly isFewest: boolean } | null;
}
