/**
 * What a guest threw, in words: for fault messages, the log and the console.
 *
 * The invariant: nothing of the guest's runs. A thrown value may be a proxy, have getters, a `toString`
 * that never ends, or a message of half a gigabyte; so only own data properties are read, by descriptor,
 * never of a proxy, and a long text is measured, not touched (to cut a rope V8 first makes it flat).
 */
import { types } from "node:util";
import { MAX_FAULT_CALLERS, MAX_FAULT_TEXT_BYTES, visible } from "@capos/abi";

/** A place in an image; both count from 1. */
export interface ImagePlace {
  readonly line: number;
  readonly column: number;
}

/** A fault: what happened, and where in the image (0, 0 if that is not known). */
export interface Fault extends ImagePlace {
  readonly text: string;
  /** Who called that, the innermost first: as many as a process keeps. */
  readonly callers: readonly ImagePlace[];
}

/** How the frames of an image begin in a stack trace: see `compileProgram`. */
export const IMAGE_URL = "capos:";

/** Characters of a text that are worth copying. */
const MAX_COPIED = 4096;
/** Prototypes that are looked at for a name. */
const MAX_CHAIN = 16;

const { getOwnPropertyDescriptor, getPrototypeOf } = Object;
const { isGeneratorObject, isNativeError, isProxy } = types;
const { apply } = Reflect;
const descriptionOf = Function.prototype.call.bind(
  getOwnPropertyDescriptor(Symbol.prototype, "description")!.get!,
) as (symbol: symbol) => string | undefined;
/** The constructor that V8 asks for how to make a stack of frames; guests get another. */
const INITIAL_ERROR = Error as ErrorConstructor & { prepareStackTrace?: unknown };

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

/**
 * Frames that V8 takes with an error: more than a process keeps, since libos and what makes the error have some. Taking
 * one costs 100 ns, and the stack of most errors is less deep.
 */
const MAX_FRAMES = 2 * (MAX_FAULT_CALLERS + 1);

/** What is left to say if even the engine fails at something that a guest made. */
const INDESCRIBABLE: Fault = faultWithoutPlace("something that cannot be described");

/** A fault that happened nowhere in particular. */
export function faultWithoutPlace(text: string): Fault {
  return Object.freeze({ text, line: 0, column: 0, callers: Object.freeze([]) });
}

/** Describes anything that a guest threw or yielded. Never throws, never runs guest code. */
export function faultOf(error: unknown): Fault {
  try {
    return faultAt(cut(describe(error)), error);
  } catch {
    return INDESCRIBABLE;
  }
}

/** A fault with a text of the kernel's own, where an error was made. Never throws, never runs guest code. */
export function faultAt(text: string, error: unknown): Fault {
  try {
    const [place, ...callers] = isNativeError(error) ? placesOf(error) : [];
    if (place !== undefined) return { text, ...place, callers };
  } catch {
    // Then it is not known where.
  }
  return faultWithoutPlace(text);
}

/**
 * What a value is, in a few words, for a message to whoever wrote the guest. Never throws, never runs guest code.
 */
export function describeValue(value: unknown): string {
  try {
    if (isGeneratorObject(value)) return "a generator";
    if (Array.isArray(value)) return "an array";
    return cut(describe(value));
  } catch {
    return INDESCRIBABLE.text;
  }
}

/** What is wrong with a value that was yielded and is no trap. Never throws, never runs guest code. */
export function whyNoTrap(value: unknown): string {
  const what = describeValue(value);
  return isGeneratorObject(value)
    ? `yielded ${what}: did you mean yield* instead of yield?`
    : `yielded ${what}, which is not a trap: yield what sys.call() and the like give, and run generators with yield*`;
}

/** What is wrong with the status that a thread ended with. Never throws, never runs guest code. */
export function whyNoStatus(value: unknown): string {
  const hint = isGeneratorObject(value) ? ": did you mean return yield*?" : "";
  return `a thread must end with a status from 0 to 255, and gave ${describeValue(value)}${hint}`;
}

function describe(value: unknown): string {
  switch (typeof value) {
    case "string":
      return short(value);
    case "symbol":
      return describeSymbol(value);
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

function describeSymbol(symbol: symbol): string {
  const description = descriptionOf(symbol) ?? "";
  // With what stands around it, a text of the longest there is would be none any more.
  return description.length > MAX_COPIED ? `Symbol${short(description)}` : `Symbol(${description})`;
}

function describeObject(value: object): string {
  if (isProxy(value)) return "a proxy";
  const found = nameOf(value);
  // An error stays one whatever it inherits from.
  const name = found === "Object" && isNativeError(value) ? "Error" : found;
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

/** One line of visible text, as much as a process keeps. */
function cut(text: string): string {
  let out = "";
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0)!;
    const shown = visible(character);
    const size =
      code < 0x80 || shown !== character ? shown.length : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (bytes + size > MAX_FAULT_TEXT_BYTES - 3) return `${out}...`;
    bytes += size;
    out += shown;
  }
  return out;
}

/** The frames of an error's stack that are in an image, from the innermost; frames of what made the error come first, and are left out. */
function placesOf(error: Error): ImagePlace[] {
  const makers = chainOf(error).map(makerNameOf);
  const places: ImagePlace[] = [];
  const { keptFrames } = globalThis as Keeper;
  for (const frame of keptFrames?.(error) ?? []) {
    const url: unknown = frame.getScriptNameOrSourceURL();
    if (typeof url !== "string" || !url.startsWith(IMAGE_URL)) continue;
    if (places.length === 0) {
      const name: unknown = frame.isConstructor() ? frame.getFunctionName() : null;
      if (typeof name === "string" && name.length <= MAX_COPIED && makers.includes(name)) continue;
    }
    places.push({ line: frame.getLineNumber() ?? 0, column: frame.getColumnNumber() ?? 0 });
    if (places.length > MAX_FAULT_CALLERS) break;
  }
  return places;
}

/** The stack of an error of the kernel's, in lines that each begin with a line break; empty for all else. Never throws. */
export function stackOf(error: unknown): string {
  if (!isNativeError(error)) return "";
  try {
    const { keptFrames } = globalThis as Keeper;
    // Before the realm is hardened no guest has run.
    return keptFrames === undefined ? `\n${error.stack}` : keptFrames(error).map(lineOf).join("");
  } catch {
    return "";
  }
}

function lineOf(frame: NodeJS.CallSite): string {
  const name: unknown = frame.getFunctionName();
  const place = `${frame.getScriptNameOrSourceURL()}:${frame.getLineNumber()}:${frame.getColumnNumber()}`;
  return `\n  at ${typeof name === "string" ? `${cut(short(name))} (${place})` : place}`;
}

/** What a realm has in whose start compartment `keepFrames` was called. Guests have another global object. */
interface Keeper {
  readonly keptFrames?: (error: Error) => readonly NodeJS.CallSite[];
}

/**
 * From now on errors' stacks are kept as frames, never as text, and everybody sees an empty `stack`: a text holds the
 * names of functions, which may be half a gigabyte long. Once a realm, after `repairIntrinsics()`.
 */
export function keepFrames(): void {
  const kept = new WeakMap<object, readonly NodeJS.CallSite[]>();
  INITIAL_ERROR.stackTraceLimit = MAX_FRAMES;
  INITIAL_ERROR.prepareStackTrace = (error: Error, frames: readonly NodeJS.CallSite[]): string => {
    kept.set(error, frames);
    return "";
  };
  (globalThis as { keptFrames?: Keeper["keptFrames"] }).keptFrames = (error) => {
    // To read this makes V8 give the frames. An inherited one may be anything.
    const descriptor = getOwnPropertyDescriptor(error, "stack");
    if (descriptor?.get !== undefined && descriptor.get === STACK_GETTER) apply(STACK_GETTER, error, []);
    return kept.get(error) ?? [];
  };
}
