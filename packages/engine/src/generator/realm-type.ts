/** What an image is instantiated with. */

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
