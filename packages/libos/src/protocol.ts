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
import { Err, type Sys } from "@capos/abi";
import { type Client, makeCall } from "./client.js";
import { decodeFields, describeShape, type Given, placeFields, type Values } from "./message.js";
import type { MethodEntry, Methods } from "./method.js";
import { answerSaved, type Handlers, type ServeOptions, serve } from "./server.js";
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

/** A declared protocol. */
export interface Protocol<M extends Methods = Methods> extends WireProtocol {
  /**
   * The calling side, through an endpoint capability with SEND.
   *
   * Each method is a generator: run it with `yield*`. It throws RangeError, before any trap, if a field
   * cannot hold its value, and `IpcError` if the call was answered with an error or with something that
   * is no reply (`Err.RANGE`).
   *
   * @param slots where capabilities that replies bring are received; needed only if there are such
   */
  client(sys: Sys, handle: number, slots?: Slots): Client<M>;

  /** The answering side: see `serve`. */
  serve(sys: Sys, endpoint: number, handlers: Handlers<M>, options?: ServeOptions): Steps<void>;

  /**
   * Answers a deferred request through its saved reply, which is used up: its slot is empty afterwards
   * and the caller's to give back. Throws RangeError if a field cannot hold its value, and `IpcError`
   * (`PEER_DIED`, ...) if there is nobody left to answer.
   */
  answer<N extends keyof M & string>(
    sys: Sys,
    reply: number,
    method: N,
    value: Given<M[N]["reply"]>,
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
const FNV_OFFSET = 0x811c_9dc5;
const FNV_PRIME = 0x0100_0193;

/** FNV-1a over UTF-16 units. It tells apart what was never meant to match; it keeps no attacker out. */
function hash(text: string): number {
  let value = FNV_OFFSET;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), FNV_PRIME);
  // Never 0: kernel objects' methods are below 256, so no request of a protocol is one of theirs.
  return value >>> 0 || 1;
}

/**
 * Declares a protocol. Throws RangeError if a message could not fit 64 words and 4 capabilities, or
 * there are more than 256 methods.
 */
export function protocol<const M extends Methods>(name: string, methods: M): Protocol<M> {
  const names = Object.keys(methods);
  if (names.length > METHODS_MAX)
    throw new RangeError(`${name}: ${names.length} methods, the limit is ${METHODS_MAX}`);
  const described = names.map((method) => {
    const { request, reply } = methods[method]!;
    return `${method}(${describeShape(request)}):(${describeShape(reply)})`;
  });
  const id = hash(`${name}{${described.join(";")}}`);
  const entries = names.map((method, number): MethodEntry => {
    if (method in Object.prototype) throw new RangeError(`${name}: a method cannot be called ${method}`);
    const title = `${name}.${method}`;
    const { request, reply } = methods[method]!;
    return Object.freeze({
      name: method,
      word0: id * METHODS_MAX + number,
      request: placeFields(title, request),
      reply: placeFields(title, reply),
    });
  });

  return Object.freeze({
    name,
    id,
    methods: Object.freeze(entries),
    client(sys: Sys, handle: number, slots?: Slots): Client<M> {
      const client: Record<string, unknown> = {};
      for (const entry of entries) client[entry.name] = makeCall(sys, handle, entry, slots);
      return Object.freeze(client) as Client<M>;
    },
    serve(sys: Sys, endpoint: number, handlers: Handlers<M>, options: ServeOptions = {}): Steps<void> {
      return serve(sys, endpoint, name, entries, handlers as Record<string, never>, options);
    },
    answer(sys: Sys, reply: number, method: string, value: Values): Steps<void> {
      const entry = entries.find((one) => one.name === method);
      if (entry === undefined) throw new RangeError(`${name} has no method ${method}`);
      return answerSaved(sys, reply, entry.reply, value);
    },
  });
}

/** The largest length (bytes of a text, bytes, or elements of a list) that a request's field may have. */
export function requestLimit<M extends Methods, N extends keyof M & string>(
  declared: Protocol<M>,
  method: N,
  field: keyof M[N]["request"] & string,
): number {
  const entry = declared.methods.find((one) => one.name === method);
  const found = entry?.request.fields.find((one) => one.name === field);
  if (found === undefined) throw new RangeError(`${declared.name}.${method} has no field ${field}`);
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
  const word0 = words[0]!;
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
