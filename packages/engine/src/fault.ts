/**
 * What a guest threw, in words: for fault messages, the log and the console.
 *
 * The invariant: nothing of the guest's runs. A thrown value may be a proxy, have getters, a `toString`
 * that never ends, or a message of half a gigabyte; so only own data properties are read, by descriptor,
 * never of a proxy, and a long text is measured, not touched (to cut a rope V8 first makes it flat).
 */
import { types } from "node:util";
import { MAX_FAULT_TEXT_BYTES } from "@capos/abi";

/** A fault: what happened, and where in the image (1-based; 0, 0 if that is not known). */
export interface Fault {
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

/** How the frames of an image begin in a stack trace: see `compileProgram`. */
export const IMAGE_URL = "capos:";

/** Characters of a text that are worth copying. */
const MAX_COPIED = 4096;
/** Prototypes that are looked at for a name. */
const MAX_CHAIN = 16;

const { getOwnPropertyDescriptor, getPrototypeOf } = Object;
const { isNativeError, isProxy } = types;
const symbolText = Function.prototype.call.bind(Symbol.prototype.toString) as (symbol: symbol) => string;

/** V8's own getter of `stack`, in versions where that is an accessor. */
const STACK_GETTER = getOwnPropertyDescriptor(new Error(), "stack")?.get;

/** The prototypes of the language's errors: frozen, so the end of the search for a name. */
const ERRORS = Object.freeze([
  AggregateError,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
  Error,
]);
const ERROR_PROTOTYPES = Object.freeze(ERRORS.map((error) => error.prototype as object));
const ERROR_NAMES = Object.freeze(ERRORS.map((error) => error.name));

/** Describes anything that a guest threw or yielded. Never throws (but for a stack overflow), never runs guest code. */
export function faultOf(error: unknown): Fault {
  const text = cut(describe(error));
  const place = typeof error === "object" && isNativeError(error) ? placeOf(error) : null;
  return { text, line: place?.line ?? 0, column: place?.column ?? 0 };
}

function describe(value: unknown): string {
  switch (typeof value) {
    case "string":
      return short(value);
    case "symbol":
      return short(symbolText(value));
    case "bigint":
      // A large one takes V8 seconds to print.
      return BigInt.asIntN(64, value) === value ? `${value}n` : "a bigint of more than 64 bits";
    case "object":
      return value === null ? "null" : describeObject(value);
    case "function": {
      const name = isProxy(value) ? "" : dataOf(value, "name");
      return typeof name === "string" && name !== "" ? `a function, ${short(name)}` : "a function";
    }
    default:
      return `${value as number | boolean | undefined}`;
  }
}

function describeObject(value: object): string {
  if (isProxy(value)) return "a proxy";
  const name = nameOf(value);
  const message = dataOf(value, "message");
  if (typeof message === "string" && message !== "") return `${name}: ${short(message)}`;
  return isNativeError(value) ? name : `an object, ${name}`;
}

/** The value of an own data property, or of what was one (see generator/overrides.ts). Not for proxies. */
function dataOf(value: object, key: string): unknown {
  const descriptor = getOwnPropertyDescriptor(value, key);
  const get: unknown = descriptor?.get;
  if (typeof get === "function" && !isProxy(get))
    return getOwnPropertyDescriptor(get, "originalValue")?.value;
  return descriptor?.value;
}

/** What an object calls itself, or its class's name, or the intrinsic error's that it is made from. */
function nameOf(value: object): string {
  for (const holder of chainOf(value)) {
    const intrinsic = ERROR_PROTOTYPES.indexOf(holder);
    if (intrinsic >= 0) return ERROR_NAMES[intrinsic];
    const name = dataOf(holder, "name");
    if (typeof name === "string" && name !== "") return short(name);
    const maker = makerNameOf(holder);
    if (maker !== "") return short(maker);
  }
  return "Object";
}

/** The name of the class that an object is the prototype of, if it is one. */
function makerNameOf(prototype: object): string {
  const maker = dataOf(prototype, "constructor");
  const name = typeof maker === "function" && !isProxy(maker) ? dataOf(maker, "name") : "";
  return typeof name === "string" ? name : "";
}

/** An object and its prototypes, up to a limit or a proxy. */
function chainOf(value: object): object[] {
  const chain: object[] = [];
  let holder: object | null = value;
  while (holder !== null && chain.length < MAX_CHAIN && !isProxy(holder)) {
    chain.push(holder);
    holder = getPrototypeOf(holder) as object | null;
  }
  return chain;
}

function short(text: string): string {
  return text.length > MAX_COPIED ? `(a text of ${text.length} characters)` : text;
}

/** One line of printable text: control characters could steer a terminal. */
function cut(text: string): string {
  let out = "";
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0)!;
    const isControl = code < 0x20 || (code >= 0x7f && code < 0xa0) || code === 0x2028 || code === 0x2029;
    const size = code < 0x80 || isControl ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (bytes + size > MAX_FAULT_TEXT_BYTES - 3) return `${out}...`;
    bytes += size;
    out += isControl ? " " : character;
  }
  return out;
}

/**
 * The first frame of an error's stack that is in an image. In a hardened realm guests see an empty
 * `stack`; the kernel gets the real one from `getStackString`, which only the start compartment has.
 */
function placeOf(error: Error): { line: number; column: number } | null {
  const descriptor = getOwnPropertyDescriptor(error, "stack");
  // A guest may have put its own getter there.
  if (descriptor?.get !== undefined && descriptor.get !== STACK_GETTER) return null;
  const { getStackString } = globalThis as { getStackString?: (error: Error) => string };
  const stack: unknown =
    getStackString === undefined ? (descriptor?.value ?? error.stack) : getStackString(error);
  if (typeof stack !== "string" || stack.length >= 2 ** 20) return null;
  return firstFrame(stack, chainOf(error).map(makerNameOf));
}

/**
 * Function names in a trace are the guest's choice; a line that lies misplaces the guest's own fault.
 *
 * @param makers the classes of the error: their constructors' frames come first, and are not the place
 */
function firstFrame(stack: string, makers: readonly string[]): { line: number; column: number } | null {
  let from = 0;
  while (from < stack.length) {
    const newline = stack.indexOf("\n", from);
    const end = newline < 0 ? stack.length : newline;
    const frame = /^\s+at (?:(?:new ([^\s(]+)|.*) \()?capos:[^\s()]*:(\d+):(\d+)\)?$/.exec(
      stack.slice(from, end),
    );
    from = end + 1;
    if (frame === null) continue;
    const [, maker, line, column] = frame;
    if (maker !== undefined && makers.includes(maker)) continue;
    return { line: Number(line), column: Number(column) };
  }
  return null;
}
