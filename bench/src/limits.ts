/** Limits that a command line tells its users, without the benchmark itself. */

/** Slowdowns up to this many percent are no failure, unless told. */
export const DEFAULT_THRESHOLD_PERCENT = 5;
/** Fewer repetitions say nothing: two samples of three differ by chance one time in ten. */
export const MIN_TRIALS = 4;
/** Most repetitions of one run that has an end. */
export const MAX_REPETITIONS = 100_000;
/**
 * Of a run that is kept, unless told: as many medians as a comparison of all rows needs, each of compiled code. With
 * less time than this the median of a machine's first rows is of code that V8 has not compiled yet.
 */
export const SAVED_REPETITIONS = 10;
export const SAVED_SECONDS = 0.2;
/** Of all benchmarks at once, for who wants to see the machine at work; who wants to know more asks `bench`. */
export const LOOK_SECONDS = 0.15;
