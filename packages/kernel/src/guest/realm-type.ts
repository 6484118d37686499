/**
 * What a core keeps of its hardened realm. (Types alone: the core's state names them, the realm's
 * code names the core.)
 */

/** The three functions an image is instantiated with, and the one that limited built-ins call: see clock.ts. */
export interface GuestChecks {
  readonly tick: () => void;
  readonly tickMain: () => boolean;
  readonly caught: (error: unknown) => void;
  readonly work: () => void;
}

/** An image, compiled: called once a thread, runs the module's top level and answers its default export. */
export type Program = (
  tick: () => void,
  tickMain: () => boolean,
  caught: (error: unknown) => void,
) => unknown;

export interface Realm {
  readonly checks: GuestChecks;
  /** By image number. */
  readonly programs: Map<number, Program>;
}
