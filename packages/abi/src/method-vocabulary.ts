/**
 * The words in which methods are declared: kinds of arguments and answers. Plain data, for `methods.ts` and for
 * whoever reads it there; nothing of it runs in the kernel or in a guest.
 */
import type { Err } from "./errors.js";
import type { ObjectType } from "./object-type.js";

/** A bound that the kernel knows when the method is invoked. */
export type Quantity =
  /** The highest number of a core of the machine. */
  | "lastCore"
  /** The highest number of an image. */
  /** The ceiling of the invoker's process, and of the process that is invoked. */
  | "ceiling"
  | "ownCeiling"
  /** Thread numbers that the invoker's process has left. */
  | "threadsLeft";

export type Bound = number | Quantity;

/**
 * An argument takes one word, from word 1 on in the order of the declaration; a text, bytes or words take the rest,
 * so they lie behind all others. `note` says what a name and a range do not.
 */
export type Argument =
  /**
   * An integer of 32 bits, `low` to `high`. Outside it answers `error`, which is RANGE if nothing else is said; then the
   * range told is `low` to `told`, or to `high`. Without bounds the deed judges it, and what is no integer is -1.
   */
  | {
      readonly kind: "integer";
      readonly name: string;
      readonly low?: number;
      readonly high?: Bound;
      readonly told?: Quantity;
      readonly error?: Err;
      readonly type?: "ObjectType";
      readonly note?: string;
    }
  /** A number that may be beyond 32 bits: an integer, `low` to `high`. */
  | {
      readonly kind: "long";
      readonly name: string;
      readonly low: number;
      readonly high: number;
      readonly note?: string;
    }
  /** Any number at all: the kernel hands it on. */
  | { readonly kind: "number"; readonly name: string; readonly note?: string }
  /** A set of rights. */
  | { readonly kind: "rights"; readonly name: string; readonly note?: string }
  /** The index of a slot, never 0, of the CNode that is invoked, or of the one that the argument `of` names. */
  | { readonly kind: "slot"; readonly name: string; readonly of?: string; readonly note?: string }
  /** A handle of the invoker's, of a capability that is used: one of `types` (any, if there are none), with all of `right`. */
  | {
      readonly kind: "capability";
      readonly name: string;
      readonly types: readonly ObjectType[];
      readonly right: number;
      readonly note?: string;
    }
  /** A handle that the deed looks up, because it is carried and not used, or is none of the invoker's. */
  | { readonly kind: "handle"; readonly name: string; readonly note?: string }
  /**
   * A length in bytes, then so many bytes of UTF-8 packed. A longer one is refused by the library, or cut, or goes
   * as several invocations. `lenient`: a wrong length counts as none, instead of RANGE.
   */
  | {
      readonly kind: "text";
      readonly name: string;
      readonly max: number;
      readonly longer: "refused" | "cut" | "split";
      readonly lenient?: true;
      readonly note?: string;
    }
  /** A length, then so many bytes packed. */
  | { readonly kind: "bytes"; readonly name: string; readonly max: number; readonly note?: string }
  /** All the words that are left. */
  | { readonly kind: "words"; readonly name: string; readonly max: number; readonly note?: string };

/** An answer takes one word, from word 0 on; a text and bytes are a length and then the bytes packed. */
export type Answer =
  | {
      readonly kind: "number" | "handle";
      readonly name: string;
      readonly type?: "ObjectType" | "LifeState";
      readonly note?: string;
    }
  /** 1 or 0. */
  | { readonly kind: "flag"; readonly name: string; readonly note?: string }
  /** A number, or -1 for never. */
  | { readonly kind: "orNever"; readonly name: string; readonly note?: string }
  | { readonly kind: "text"; readonly name: string; readonly note?: string }
  /** The length is -1 where there will never be any again. */
  | { readonly kind: "bytes"; readonly name: string; readonly note?: string };

export interface MethodDeclaration {
  readonly name: string;
  readonly number: number;
  /** Rights that the invoked capability must have, all of them; 0 is none. */
  readonly right: number;
  readonly arguments: readonly Argument[];
  readonly answers: readonly Answer[];
  /** What the answers are called together in the library, where there are several. */
  readonly answerType?: string;
  /** Errors besides those that a wrong capability or argument has, and when. */
  readonly errors: readonly (readonly [error: Err, when: string])[];
  /** What it does, for whoever invokes it. */
  readonly says: string;
  /** The operation in a message of the library that it failed, where the name does not say it. */
  readonly what?: string;
}

export interface ObjectDeclaration {
  /** The library's object, and what its methods' numbers begin with. */
  readonly name: string;
  /** What it is called in the documentation, and by the kernel's functions. */
  readonly title: string;
  readonly type: ObjectType;
  readonly says: string;
  readonly methods: readonly MethodDeclaration[];
}

type Notes<K> = Omit<Extract<Argument, { kind: K }>, "kind" | "name">;

export const integer = (name: string, low: number, high: Bound, more: Notes<"integer"> = {}): Argument => ({
  kind: "integer",
  name,
  low,
  high,
  ...more,
});

export const judged = (name: string, more: Notes<"integer">): Argument => ({
  kind: "integer",
  name,
  ...more,
});

export const long = (name: string, low: number, high: number, note?: string): Argument => ({
  kind: "long",
  name,
  low,
  high,
  ...noted(note),
});

export const number = (name: string, note?: string): Argument => ({ kind: "number", name, ...noted(note) });

export const rights = (name: string): Argument => ({ kind: "rights", name });

export const slot = (name: string, of?: string): Argument =>
  of === undefined ? { kind: "slot", name } : { kind: "slot", name, of };

export const capability = (
  name: string,
  types: readonly ObjectType[],
  right: number,
  note?: string,
): Argument => ({ kind: "capability", name, types, right, ...noted(note) });

export const handle = (name: string, note?: string): Argument => ({ kind: "handle", name, ...noted(note) });

export const text = (name: string, max: number, more: Omit<Notes<"text">, "max">): Argument => ({
  kind: "text",
  name,
  max,
  ...more,
});

export const bytes = (name: string, max: number): Argument => ({ kind: "bytes", name, max });

export const words = (name: string, max: number, note?: string): Argument => ({
  kind: "words",
  name,
  max,
  ...noted(note),
});

/** A declaration, made unchangeable. */
export function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null) for (const part of Object.values(value)) frozen(part);
  return Object.freeze(value);
}

function noted(note: string | undefined): { readonly note?: string } {
  return note === undefined ? {} : { note };
}
