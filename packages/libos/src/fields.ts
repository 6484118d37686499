/**
 * Field types: what a field of a protocol's message may hold, on the wire and in TypeScript.
 *
 * A field is a description and holds no state. Its two type parameters exist for the compiler only:
 * what a sender may give, and what a receiver gets.
 */
import type { Carried } from "./held.js";
import type { KernelRight, RightName } from "./rights.js";

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
  /** As CAPABILITY, naming an object of the server itself: to it, it comes back as the badge it was minted with. */
  OWN = 8,
}

declare const GIVEN: unique symbol;
declare const RECEIVED: unique symbol;
declare const OWN: unique symbol;

/** Stands for a capability of the protocol in which a field is declared, with these rights. */
export interface Own<R extends RightName> {
  readonly [OWN]: R;
}

/** How a capability travels when it is not simply copied with all its rights. */
export interface Transfer<C> {
  readonly capability: C;
  /** At most these rights arrive: names or a set of `Right`. */
  readonly rights?: number | readonly KernelRight[];
  /** The sender has it no more once the message is answered; its slot is given back to where it was taken. */
  readonly move?: boolean;
}

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
  /** OWN: the rights that such a capability has. */
  readonly rights: readonly RightName[];
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
  rights: readonly RightName[] = [],
): Field<Given, Received> {
  return Object.freeze({ name, kind, min, max, element, rights: Object.freeze([...rights]) });
}

/** An integer from 0 to 255. */
export const u8 = /* @__PURE__ */ field<number>("u8", FieldKind.INTEGER, 0, 0xff);
/** An integer from 0 to 65,535. */
export const u16 = /* @__PURE__ */ field<number>("u16", FieldKind.INTEGER, 0, 0xffff);
/** An integer from 0 to 2^32 - 1. */
export const u32 = /* @__PURE__ */ field<number>("u32", FieldKind.INTEGER, 0, 0xffff_ffff);
/** An integer from -2^31 to 2^31 - 1. */
export const i32 = /* @__PURE__ */ field<number>("i32", FieldKind.INTEGER, -0x8000_0000, 0x7fff_ffff);
/** An integer from 0 to 2^53 - 1: counts, nanoseconds, handles as mere numbers. */
export const u53 = /* @__PURE__ */ field<number>("u53", FieldKind.INTEGER, 0, Number.MAX_SAFE_INTEGER);

/** True or false. */
export const bool = /* @__PURE__ */ field<boolean>("bool", FieldKind.BOOL);

/** Any number, NaN and the infinities too. */
export const f64 = /* @__PURE__ */ field<number>("f64", FieldKind.F64);

/** Text, as long as the message has room for; several such fields of a message share the room evenly. */
export const text = /* @__PURE__ */ field<string>("text", FieldKind.TEXT);

/** Bytes (numbers from 0 to 255), as many as the message has room for. */
export const bytes = /* @__PURE__ */ field<readonly number[], number[]>("bytes", FieldKind.BYTES);

/** What a sender may give for a capability: a handle, a typed capability, or either with how it shall travel. */
export type GivenCapability<C = Carried<"grant">> = number | C | Transfer<number | C>;

/**
 * A capability: a handle to one of the sender's, which becomes a handle to one of the receiver's. The
 * sender needs GRANT on it, and keeps its own unless it moves it. One that names the very server it is
 * sent to is no such field's value: see `own`.
 */
export const capability = /* @__PURE__ */ field<GivenCapability, number>("capability", FieldKind.CAPABILITY);

/**
 * A capability to an object of the server that speaks the protocol.
 *
 * In a reply the server gives one that it minted, which becomes the client's, with these rights (GRANT and
 * REVOKE only if they are named); the server's slot is given back. In a request the client gives one
 * back, and the server gets the badge that it minted; a server with a table of its objects has refused
 * one by then that lacks a right named here.
 */
export function own<const R extends RightName>(rights: readonly R[]): Field<Own<R>, Own<R>> {
  const name = rights.length === 0 ? "own" : `own ${[...rights].sort().join("+")}`;
  return field(name, FieldKind.OWN, 0, 0, undefined, rights);
}

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
