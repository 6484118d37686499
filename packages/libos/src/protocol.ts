/**
 * Protocols: what two guests say to each other, declared once.
 *
 * A declaration gives the typed client, the typed server, and a decoder for traces:
 *
 *     export const Echo = protocol("echo", {
 *       ping: { request: { value: u32 }, reply: { value: u32 } },
 *     });
 *     const { value } = yield* Echo.client(sys, handle).ping({ value: 1 });
 *
 * On the wire, word 0 of a request is the protocol's id times 256 plus the method's number (methods
 * count from 0 in the order of their declaration); word 0 of a reply is a status, `Err.OK` or an error;
 * the fields follow in the order of their declaration. The id is a hash of the whole declaration, so
 * two sides that were built from different declarations refuse each other with `UNSUPPORTED`.
 */
import { Err, ObjectType, type Sys } from "@capos/abi";
import type { Client } from "./capability.js";
import { type ClientHome, makeCall } from "./client.js";
import { own, u8 } from "./fields.js";
import { fingerprint } from "./fingerprint.js";
import { type Carried, type Held, type Home, handleOf, type Kind } from "./held.js";
import type { EndpointMethods } from "./kernel-objects.js";
import { decodeFields, describeShape, placeFields } from "./message.js";
import type { MethodEntry, MethodShape, Methods } from "./method.js";
import { objectRights } from "./rights.js";
import { type Handlers, type ServeOptions, serve } from "./server.js";
import type { Slots } from "./slots.js";
import type { Steps } from "./steps.js";

/** What a protocol looks like on the wire; enough to read traces. */
export interface WireProtocol {
  readonly name: string;
  /** 32 bits, never 0, made from the declaration: equal on two sides that agree. */
  readonly id: number;
  /** Methods by number. */
  readonly methods: readonly MethodEntry[];
}

/** A declared protocol. As a kind of capability: one to whoever serves it, or to an object of theirs. */
export interface Protocol<M extends Methods = Methods> extends WireProtocol, Kind<M> {
  readonly name: string;
  /** The whole declaration as a text, which its id is made from: see `describe`. */
  readonly description: string;

  /**
   * The calling side, through an endpoint capability with SEND: all methods, whatever rights they need. A
   * typed capability (`CSpace.as`) has those that its rights permit.
   *
   * Each method is a generator: run it with `yield*`. It throws RangeError, before any trap, if a field
   * cannot hold its value, and `IpcError` if the call was answered with an error or with something that
   * is no reply (`Err.RANGE`).
   *
   * @param slots where capabilities that replies bring are received; needed only if there are such
   */
  client(sys: Sys, handle: number | Carried, slots?: Slots): Client<M>;

  /** The answering side: see `serve`. With a table of objects (see `Objects`) handlers get the object that a request is about. */
  serve<T = never>(
    sys: Sys,
    endpoint: number | Held<EndpointMethods, "receive">,
    handlers: Handlers<M, T>,
    options?: ServeOptions<T>,
  ): Steps<void>;
}

/** What `decode` found in a message. */
export interface Decoded {
  readonly protocol: string;
  readonly method: string;
  /** `Err.OK`, or the error that a reply says. An error reply has no fields. */
  readonly status: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

const METHODS_MAX = 256;

/**
 * The request for a server's object with fewer rights: what `CSpace.narrow` sends. Each protocol with
 * methods that need rights has it behind its own methods, and `serve` answers it.
 */
export const NARROW: MethodShape = Object.freeze({
  request: Object.freeze({ rights: u8 }),
  reply: Object.freeze({ narrowed: own(["grant", "revoke"]) }),
});
export const NARROW_NAME = "narrow";

/** Names that every typed capability has for itself. */
const RESERVED_NAME = "handle";

/**
 * Declares a protocol. Throws RangeError if a message could not fit 64 words and 4 capabilities, there
 * are more than 256 methods, or one has a name that is spoken for.
 */
export function protocol<const M extends Methods>(name: string, declared: M): Protocol<M> {
  const hasObjects = Object.values(declared).some(({ needs }) => needs !== undefined);
  const methods: Methods = hasObjects ? { ...declared, [NARROW_NAME]: NARROW } : declared;
  if (hasObjects && NARROW_NAME in declared)
    throw new RangeError(`${name}: a protocol whose methods need rights has a method ${NARROW_NAME} already`);
  const names = Object.keys(methods);
  if (names.length > METHODS_MAX)
    throw new RangeError(`${name}: ${names.length} methods, the limit is ${METHODS_MAX}`);
  const described = names.map((method) => {
    const { needs, request, reply } = methods[method];
    return `${method}${needs === undefined ? "" : `!${needs}`}(${describeShape(request)}):(${describeShape(reply)})`;
  });
  const description = `${name}{${described.join(";")}}`;
  const id = fingerprint(description);
  const entries = names.map((method, number): MethodEntry => {
    if (method in Object.prototype || method === RESERVED_NAME)
      throw new RangeError(`${name}: a method cannot be called ${method}`);
    const title = `${name}.${method}`;
    const { needs, request, reply } = methods[method];
    return Object.freeze({
      name: method,
      word0: id * METHODS_MAX + number,
      needs: needs === undefined ? 0 : objectRights([needs]),
      request: placeFields(title, request, false),
      reply: placeFields(title, reply, true),
    });
  });
  const ownMethods = hasObjects ? entries.slice(0, -1) : entries;

  const made: Protocol<M> = Object.freeze({
    name,
    description,
    id,
    methods: Object.freeze(entries),
    objectType: ObjectType.NONE,
    bind(home: ClientHome, handle: number): Client<M> {
      const client: Record<string, unknown> = {};
      for (const entry of ownMethods) client[entry.name] = makeCall(home, handle, entry, made);
      return client as Client<M>;
    },
    *narrow(home: Home, handle: number, rights: number): Steps<number> {
      if (!hasObjects) throw new TypeError(`${name} has no methods that need rights`);
      const call = makeCall(home, handle, entries.at(-1)!, made);
      return ((yield* call({ rights })).narrowed as Carried).handle;
    },
    client(sys: Sys, handle: number | Carried, slots?: Slots): Client<M> {
      return Object.freeze(made.bind({ sys, slots } as Home, handleOf(handle))) as Client<M>;
    },
    serve<T>(
      sys: Sys,
      endpoint: number | Held<EndpointMethods, "receive">,
      handlers: Handlers<M, T>,
      options: ServeOptions<T> = {},
    ): Steps<void> {
      return serve(sys, handleOf(endpoint), made, handlers as Record<string, never>, options);
    },
  });
  return made;
}

/** The largest length (bytes of a text, bytes, or elements of a list) that a request's field may have. */
export function requestLimit<M extends Methods, N extends keyof M & string>(
  declared: Protocol<M>,
  method: N,
  field: keyof M[N]["request"] & string,
): number {
  return limitOf(declared, method, "request", field);
}

/** The same of a field of a method's reply. */
export function replyLimit<M extends Methods, N extends keyof M & string>(
  declared: Protocol<M>,
  method: N,
  field: keyof M[N]["reply"] & string,
): number {
  return limitOf(declared, method, "reply", field);
}

function limitOf(
  { name, methods }: Pick<Protocol<never>, "name" | "methods">,
  method: string,
  part: "request" | "reply",
  field: string,
): number {
  const found = methods.find((one) => one.name === method)?.[part].fields.find((one) => one.name === field);
  if (found === undefined) throw new RangeError(`${name}.${method} has no field ${field}`);
  return found.max;
}

/**
 * Reads a message as one of a protocol, for traces. Answers null if it is none.
 *
 * @param words the message, `words[0]` to `words[count - 1]`
 * @param direction whether it is a request or a reply
 * @param method which method it replies to: a reply does not say
 * @param capabilities what was carried, in order, for capability fields to show; they show 0 without it
 */
export function decode(
  declared: WireProtocol,
  words: ArrayLike<number>,
  count: number,
  direction: "request" | "reply",
  method?: string,
  capabilities?: readonly number[],
): Decoded | null {
  if (count < 1) return null;
  const word0 = words[0];
  const entry = declared.methods.find((one) =>
    direction === "request" ? one.word0 === word0 : one.name === method,
  );
  if (entry === undefined) return null;
  const found = { protocol: declared.name, method: entry.name };
  if (direction === "reply" && word0 !== Err.OK)
    return word0 < 0 ? { ...found, status: word0, fields: {} } : null;
  const message = entry[direction];
  const source = { capability: (i: number) => capabilities?.[i] ?? 0 };
  const fields = decodeFields(message, words, count, capabilities?.length ?? message.capabilities, source);
  return fields === null ? null : { ...found, status: Err.OK, fields };
}
