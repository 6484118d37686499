/**
 * Field types: what a field of a protocol's message may hold, on the wire and in TypeScript.
 *
 * A field is a description and holds no state. Its two type parameters exist for the compiler only:
 * what a sender may give, and what a receiver gets.
 */

/** How a field travels. */
export const enum FieldKind {
  /** One word, an integer from `min` to `max`. */
  INTEGER = 1,
  /** One word, 0 or 1. */
  BOOL = 2,
  /** One word, any number. */
  F64 = 3,
  /** One word with the length in bytes, then UTF-8 packed six bytes a word. */
  TEXT = 4,
  /** One word with the length, then the bytes packed six a word. */
  BYTES = 5,
  /** One word with the length, then one word an element. */
  LIST = 6,
  /** No word: an entry in the message's capability list. */
  CAPABILITY = 7,
}

declare const GIVEN: unique symbol;
declare const RECEIVED: unique symbol;

/** A field's type: a sender gives a `Given`, a receiver gets a `Received`. */
export interface Field<Given, Received = Given> {
  /** The field type's name; part of what a protocol's id is made from. */
  readonly name: string;
  readonly kind: FieldKind;
  /** INTEGER: the range. TEXT, BYTES, LIST: `max` is the greatest length, 0 for as much as fits. */
  readonly min: number;
  readonly max: number;
  /** LIST: what its elements are. */
  readonly element: Field<number> | undefined;
  // A function's parameter, so that a field that takes more is a field that takes less.
  readonly [GIVEN]?: (value: Given) => void;
  readonly [RECEIVED]?: Received;
}

function field<Given, Received = Given>(
  name: string,
  kind: FieldKind,
  min = 0,
  max = 0,
  element?: Field<number>,
): Field<Given, Received> {
  return Object.freeze({ name, kind, min, max, element });
}

/** Integers by their range. */
export const u8 = /* @__PURE__ */ field<number>("u8", FieldKind.INTEGER, 0, 0xff);
export const u16 = /* @__PURE__ */ field<number>("u16", FieldKind.INTEGER, 0, 0xffff);
export const u32 = /* @__PURE__ */ field<number>("u32", FieldKind.INTEGER, 0, 0xffff_ffff);
export const i32 = /* @__PURE__ */ field<number>("i32", FieldKind.INTEGER, -0x8000_0000, 0x7fff_ffff);
/** An integer from 0 to 2^53 - 1: counts, nanoseconds, handles as mere numbers. */
export const u53 = /* @__PURE__ */ field<number>("u53", FieldKind.INTEGER, 0, Number.MAX_SAFE_INTEGER);

export const bool = /* @__PURE__ */ field<boolean>("bool", FieldKind.BOOL);

/** Any number, NaN and the infinities too. */
export const f64 = /* @__PURE__ */ field<number>("f64", FieldKind.F64);

/** Text, as long as the message has room for; several such fields of a message share the room evenly. */
export const text = /* @__PURE__ */ field<string>("text", FieldKind.TEXT);

/** Bytes (numbers from 0 to 255), as many as the message has room for. */
export const bytes = /* @__PURE__ */ field<readonly number[], number[]>("bytes", FieldKind.BYTES);

/**
 * A capability: a handle to one of the sender's, which becomes a handle to one of the receiver's. The
 * sender keeps its own; it needs GRANT on the capability.
 */
export const capability = /* @__PURE__ */ field<number>("capability", FieldKind.CAPABILITY);

/** Text of at most `maxBytes` bytes in UTF-8. */
export function textUpTo(maxBytes: number): Field<string> {
  return field(`text<=${checkedLength(maxBytes)}`, FieldKind.TEXT, 0, maxBytes);
}

/** At most `maxCount` bytes. */
export function bytesUpTo(maxCount: number): Field<readonly number[], number[]> {
  return field(`bytes<=${checkedLength(maxCount)}`, FieldKind.BYTES, 0, maxCount);
}

/** At most `maxCount` numbers of a type, one a word. */
export function list(element: Field<number>, maxCount: number): Field<readonly number[], number[]> {
  if (element.kind !== FieldKind.INTEGER && element.kind !== FieldKind.F64) {
    throw new RangeError(`a list holds numbers, not ${element.name}`);
  }
  return field(`${element.name}[<=${checkedLength(maxCount)}]`, FieldKind.LIST, 0, maxCount, element);
}

function checkedLength(max: number): number {
  if (!(Number.isSafeInteger(max) && max > 0))
    throw new RangeError(`a greatest length is an integer above 0, not ${max}`);
  return max;
}
