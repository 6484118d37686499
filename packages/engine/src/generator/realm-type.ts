/** What an image is instantiated with. */

/** The functions that an image is instantiated with, and the one that limited built-ins call: see clock.ts. */
export interface GuestChecks {
  readonly tick: () => void;
  readonly tickMain: () => boolean;
  readonly caught: (error: unknown) => void;
  /** Given what is spread in an array or a call: answers it, or an array of its elements. */
  readonly spread: (iterable: unknown) => unknown;
  /** Given an assignment that was refused, and what it threw: does it, or throws that. See overrides.ts. */
  readonly assigned: (it: unknown, key: PropertyKey, value: unknown, refusal: unknown) => unknown;
  /** Given what is no trap and was to be yielded to the kernel: throws. */
  readonly notATrap: (value: unknown) => never;
  /** Given an object that a call gave and nobody takes: throws if it is a generator. */
  readonly dropped: (value: object) => void;
  readonly work: () => void;
}

/** An image, compiled: called once a thread, runs the module's top level and answers its default export. */
export type Program = (
  tick: () => void,
  tickMain: () => boolean,
  caught: (error: unknown) => void,
  spread: (iterable: unknown) => unknown,
  assigned: (it: unknown, key: PropertyKey, value: unknown, refusal: unknown) => unknown,
  notATrap: (value: unknown) => never,
  dropped: (value: object) => void,
) => unknown;
