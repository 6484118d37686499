/**
 * One message of a protocol: its fields in words 1 and up, its capabilities beside them.
 *
 * A message has one encoding: what `decodeFields` accepts, `encodeFields` would have written. It checks
 * every word, so a handler never sees a value outside its field's type, whatever the sender sent.
 * Encoding makes no garbage, decoding only the object it answers.
 */
import {
  BYTES_PER_WORD,
  MAX_MESSAGE_CAPABILITIES,
  MAX_MESSAGE_WORDS,
  packBytes,
  Right,
  unpackBytes,
  type Words,
  wordsForBytes,
} from "@capos/abi";
import { type Field, FieldKind, type GivenCapability, type Own, type Transfer } from "./fields.js";
import type { Held } from "./held.js";
import { Departure, type Outgoing } from "./outgoing.js";
import { carryRights, objectRights, type RightName, rightBits } from "./rights.js";
import { isPacked, packText, unpackText, utf8Length } from "./text.js";

/** The fields of a message, by name. */
export interface Shape {
  readonly [name: string]: Field<never, unknown>;
}

/**
 * What a sender gives for a shape. `M` are the methods of the protocol it is a part of: an `own` field
 * takes a capability to that protocol. GRANT is what lets it be carried.
 */
export type Given<S extends Shape, M = unknown> = {
  readonly [N in keyof S]: S[N] extends Field<infer G, unknown> ? GivenFor<G, M> : never;
};
type GivenFor<G, M> = [G] extends [Own<infer R extends RightName>] ? GivenOwn<Held<M, R | "grant">> : G;
type GivenOwn<C> = C | Transfer<C>;

/** What a server gets for a shape. One of its own objects is the badge that it minted. */
export type Received<S extends Shape> = {
  [N in keyof S]: S[N] extends Field<never, infer R> ? ([R] extends [Own<RightName>] ? number : R) : never;
};

/** Values by field name, as the untyped core of the library handles them. */
export type Values = Record<string, unknown>;

/** Where the capabilities that came with a message are asked for: `sys`, or a trace's list. */
export interface CapabilitySource {
  capability(i: number): number;
  /** Absent where nobody can tell: a trace sees what was sent. */
  unwrapped?(i: number): boolean;
}

interface PlacedField {
  readonly name: string;
  readonly kind: FieldKind;
  readonly min: number;
  /** INTEGER: greatest value. TEXT, BYTES, LIST: greatest length, never 0 here. */
  readonly max: number;
  readonly element: Field<number> | undefined;
  /** OWN: the object rights that it must have, the kernel's rights that it is given with. */
  readonly objectRights: number;
  readonly carryRights: number;
}

/** A shape made ready: greatest lengths computed so that every message fits. */
export interface Message {
  /** What errors call it: `echo.ping`. */
  readonly title: string;
  readonly fields: readonly PlacedField[];
  /** Capabilities that every such message carries. */
  readonly capabilities: number;
  /** How many of them take a slot of the receiver: in a request, objects of the server's own do not. */
  readonly slots: number;
  readonly isReply: boolean;
}

function isVariable(kind: FieldKind): boolean {
  return kind === FieldKind.TEXT || kind === FieldKind.BYTES || kind === FieldKind.LIST;
}

function payloadWords(kind: FieldKind, length: number): number {
  return kind === FieldKind.LIST ? length : wordsForBytes(length);
}

/**
 * Makes a shape ready. Throws RangeError if its largest message would not fit 64 words and 4
 * capabilities, or a field's name is one that every object has.
 */
export function placeFields(title: string, shape: Shape, isReply: boolean): Message {
  const names = Object.keys(shape);
  let room = MAX_MESSAGE_WORDS - 1;
  let unbounded = 0;
  let capabilities = 0;
  let slots = 0;
  for (const name of names) {
    // In a hardened realm assigning such a name throws, and `__proto__` would be no field at all.
    if (name in Object.prototype) throw new RangeError(`${title}: a field cannot be called ${name}`);
    const { kind, max } = shape[name];
    if (kind === FieldKind.CAPABILITY || kind === FieldKind.OWN) {
      capabilities++;
      if (kind === FieldKind.CAPABILITY || isReply) slots++;
    } else room--;
    if (!isVariable(kind)) continue;
    if (max === 0) unbounded++;
    else room -= payloadWords(kind, max);
  }
  const share = unbounded === 0 ? 0 : Math.floor(room / unbounded);
  if (room < 0 || (unbounded > 0 && share < 1)) {
    const least = MAX_MESSAGE_WORDS - room + unbounded;
    throw new RangeError(
      `${title}: takes ${least} words at its largest, a message has ${MAX_MESSAGE_WORDS}: limit its texts, bytes and lists`,
    );
  }
  if (capabilities > MAX_MESSAGE_CAPABILITIES) {
    throw new RangeError(
      `${title}: ${capabilities} capabilities, a message carries ${MAX_MESSAGE_CAPABILITIES}`,
    );
  }
  const fields = names.map((name) => {
    const { kind, min, max, element, rights } = shape[name];
    const greatest = isVariable(kind) && max === 0 ? share * BYTES_PER_WORD : max;
    return Object.freeze({
      name,
      kind,
      min,
      max: greatest,
      element,
      objectRights: objectRights(rights),
      carryRights: carryRights(rights),
    });
  });
  return Object.freeze({ title, fields: Object.freeze(fields), capabilities, slots, isReply });
}

/** How a shape reads in the text that a protocol's id is made from. */
export function describeShape(shape: Shape): string {
  return Object.keys(shape)
    .map((name) => `${name}:${shape[name].name}`)
    .join(",");
}

function refuse(message: Message, name: string, expected: string, value: unknown): never {
  const shown = typeof value === "number" || typeof value === "boolean" ? String(value) : typeof value;
  throw new RangeError(`${message.title}: ${name} must be ${expected}, got ${shown}`);
}

function inRange(value: number, min: number, max: number): boolean {
  return value >= min && value <= max && Math.floor(value) === value;
}

/** Puts a capability among those on their way out. Answers false if the value is none. */
function sendCapability(outgoing: Outgoing, at: number, value: unknown, ownRights: number): boolean {
  let handle = value;
  let rights: number = Right.ALL;
  let departure = Departure.COPIED;
  if (typeof value === "object" && value !== null) {
    const given = value as Partial<Transfer<GivenCapability>> & { readonly handle?: number };
    if (given.capability === undefined) handle = given.handle;
    else {
      const { capability } = given;
      handle = typeof capability === "object" ? (capability as { handle?: number }).handle : capability;
      if (given.rights !== undefined) rights = rightBits(given.rights);
      if (given.move === true) departure = Departure.MOVED;
    }
  }
  if (typeof handle !== "number" || !inRange(handle, 1, Number.MAX_SAFE_INTEGER)) return false;
  if (!inRange(rights, 0, Right.ALL)) return false;
  // An object that a server gives: it came from a mint for this purpose, and is the client's from now on.
  if (ownRights !== 0) outgoing.put(at, handle, rights & ownRights, Departure.GIVEN);
  else outgoing.put(at, handle, rights, departure);
  return true;
}

/**
 * Writes the fields into `words` from word 1 on and the capabilities into `outgoing`. Answers the number
 * of words in the message, word 0 included. Throws RangeError for a value that its field cannot hold;
 * nothing was sent then.
 */
export function encodeFields(message: Message, words: Words, values: Values, outgoing: Outgoing): number {
  const { fields, isReply } = message;
  if (message.capabilities > 0) outgoing.clear();
  let at = 1;
  let carried = 0;
  for (let i = 0; i < fields.length; i++) {
    const { name, kind, min, max, element, carryRights: own } = fields[i];
    const value = values[name];
    switch (kind) {
      case FieldKind.INTEGER:
        if (typeof value !== "number" || !inRange(value, min, max))
          refuse(message, name, `an integer from ${min} to ${max}`, value);
        // -0 + 0 is 0: one encoding for each value.
        words[at++] = value + 0;
        break;
      case FieldKind.BOOL:
        if (typeof value !== "boolean") refuse(message, name, "true or false", value);
        words[at++] = value ? 1 : 0;
        break;
      case FieldKind.F64:
        if (typeof value !== "number") refuse(message, name, "a number", value);
        words[at++] = value;
        break;
      case FieldKind.TEXT: {
        if (typeof value !== "string") refuse(message, name, "a text", value);
        const length = packText(words, at + 1, value, max);
        if (length < 0) refuse(message, name, `a text of at most ${max} bytes`, utf8Length(value));
        words[at] = length;
        at += 1 + wordsForBytes(length);
        break;
      }
      case FieldKind.BYTES:
      case FieldKind.LIST: {
        if (!Array.isArray(value)) refuse(message, name, "an array", value);
        const { length } = value;
        if (length > max) refuse(message, `${name}.length`, `at most ${max}`, length);
        words[at++] = length;
        for (let j = 0; j < length; j++) {
          const one: unknown = value[j];
          if (kind === FieldKind.BYTES) {
            if (typeof one !== "number" || !inRange(one, 0, 255))
              refuse(message, `${name}[${j}]`, "a byte", one);
          } else if (
            typeof one !== "number" ||
            (element!.kind === FieldKind.INTEGER && !inRange(one, element!.min, element!.max))
          ) {
            refuse(message, `${name}[${j}]`, `of type ${element!.name}`, one);
          } else words[at++] = element!.kind === FieldKind.INTEGER ? one + 0 : one;
        }
        if (kind === FieldKind.BYTES) at += packBytes(words, at, value, 0, length);
        break;
      }
      case FieldKind.CAPABILITY:
        if (!sendCapability(outgoing, carried++, value, 0)) refuse(message, name, "a capability", value);
        break;
      case FieldKind.OWN:
        if (!sendCapability(outgoing, carried++, value, isReply ? own : 0))
          refuse(message, name, "a capability", value);
        break;
    }
  }
  return at;
}

/**
 * Reads the fields of a message of `count` words, word 0 included, that came with `arrived`
 * capabilities. Answers null if it is no such message: a value out of range, a length that does not
 * fit, a word or capability too many or too few.
 */
export function decodeFields(
  message: Message,
  words: Words,
  count: number,
  arrived: number,
  source: CapabilitySource,
): Values | null {
  const { fields, isReply } = message;
  if (arrived !== message.capabilities) return null;
  const values: Values = {};
  let at = 1;
  let carried = 0;
  for (let i = 0; i < fields.length; i++) {
    const { name, kind, min, max, element } = fields[i];
    if (kind === FieldKind.CAPABILITY || kind === FieldKind.OWN) {
      // A badge must not be taken for a handle, nor a handle for a badge.
      const isBadge = kind === FieldKind.OWN && !isReply;
      if (source.unwrapped !== undefined && source.unwrapped(carried) !== isBadge) return null;
      values[name] = source.capability(carried++);
      continue;
    }
    if (at >= count) return null;
    const word = words[at++];
    switch (kind) {
      case FieldKind.INTEGER:
        if (!inRange(word, min, max)) return null;
        values[name] = word + 0;
        break;
      case FieldKind.BOOL:
        if (word !== 0 && word !== 1) return null;
        values[name] = word === 1;
        break;
      case FieldKind.F64:
        values[name] = word;
        break;
      default: {
        if (!inRange(word, 0, max) || at + payloadWords(kind, word) > count) return null;
        if (kind === FieldKind.LIST) {
          const elements: number[] = [];
          for (let j = 0; j < word; j++) {
            const one = words[at + j];
            if (element!.kind === FieldKind.INTEGER && !inRange(one, element!.min, element!.max)) return null;
            elements.push(element!.kind === FieldKind.INTEGER ? one + 0 : one);
          }
          values[name] = elements;
        } else {
          if (!isPacked(words, at, word)) return null;
          if (kind === FieldKind.TEXT) values[name] = unpackText(words, at, word);
          else {
            const unpacked: number[] = [];
            unpackBytes(words, at, word, unpacked, 0);
            values[name] = unpacked;
          }
        }
        at += payloadWords(kind, word);
      }
    }
  }
  return at === count ? values : null;
}
