/** What the thread that makes calls, its process and who started that have in common. */

/** Words that the thread and its process share. */
export const enum Word {
  /** The position of the call that is being made, or made ready. */
  POSITION = 0,
  PHASE = 1,
  /** How many calls there are. */
  TOTAL = 2,
  /** The host's number of the thread. */
  THREAD = 3,
  /** From here on they stand for a machine's memory. */
  MEMORY = 16,
  COUNT = 4096,
}

export const enum Phase {
  /** What the call takes is being made. */
  PREPARES = 0,
  CALLS = 1,
  OVER = 2,
}

/** Where a core's area stands in what stands for a machine's memory. */
export const AREA = 1024;

/** What the thread is started with. */
export interface CallerData {
  /** The guest's image. */
  readonly code: string;
  readonly seed: number;
  readonly from: number;
  readonly words: SharedArrayBuffer;
  /** Where the name of each call is written before it is made. */
  readonly file: number;
}

/** One call that did not keep the promise. */
export interface Broken {
  readonly position: number;
  readonly name: string;
  readonly how: string;
}

/** What a process says on its standard output, a line each. */
export type Report =
  | { readonly broken: Broken }
  /** All is tried before this position. */
  | { readonly reached: number; readonly total: number };
