/** What an image is instantiated with. */

/** The four functions an image is instantiated with, and the one that limited built-ins call: see clock.ts. */
export interface GuestChecks {
  readonly tick: () => void;
  readonly tickMain: () => boolean;
  readonly caught: (error: unknown) => void;
  /** Given what is spread in an array or a call: answers it, or an array of its elements. */
  readonly spread: (iterable: unknown) => unknown;
  readonly work: () => void;
}

/** An image, compiled: called once a thread, runs the module's top level and answers its default export. */
export type Program = (
  tick: () => void,
  tickMain: () => boolean,
  caught: (error: unknown) => void,
  spread: (iterable: unknown) => unknown,
) => unknown;
