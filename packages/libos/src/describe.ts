/**
 * Descriptions: what a server's protocol is, in the server's own words.
 *
 * Whoever may call a server may ask it. Every `serve` answers, so a client needs no declaration to learn which methods
 * there are, their fields and types. The text is the one that a protocol's id is made from:
 *
 *     kv{get(key:text<=32):(value:u32);put(key:text<=32,value:u32):()}
 *
 * It is read back into a declaration that has the same id, or refused.
 */
import { Err, type Sys } from "@capos/abi";
import { makeCall } from "./client.js";
import { DESCRIBE } from "./describe-method.js";
import {
  bool,
  bytes,
  bytesUpTo,
  capability,
  type Field,
  f64,
  i32,
  list,
  own,
  text,
  textUpTo,
  u8,
  u16,
  u32,
  u53,
} from "./fields.js";
import { type Carried, handleOf } from "./held.js";
import { IpcError } from "./ipc-error.js";
import type { Shape } from "./message.js";
import type { MethodShape, Methods } from "./method.js";
import { NARROW_NAME, type Protocol, protocol } from "./protocol.js";
import { isRightName, type RightName } from "./rights.js";
import type { Steps } from "./steps.js";

/** Parts of the longest description that is read: 256 methods with fields have fewer. */
export const MAX_DESCRIPTION_PARTS = 256;

/**
 * Asks a server what it serves. Throws `IpcError`: `UNSUPPORTED` if it does not say (it answers its requests without
 * `serve`), `RANGE` if what it says is no description, and what any call throws.
 */
export function* describe(sys: Sys, handle: number | Carried): Steps<Protocol> {
  const ask = makeCall({ sys, slots: undefined }, handleOf(handle), DESCRIBE, protocol("", {}));
  let whole = "";
  for (let index = 0; ; index++) {
    const { parts, text } = yield* ask({ index });
    whole += text as string;
    if (index + 1 < Math.min(parts as number, MAX_DESCRIPTION_PARTS)) continue;
    const described = parseDescription(whole);
    if (described !== null) return described;
    throw new IpcError(Err.RANGE, "describe", "the answer is no description");
  }
}

/** The protocol that a text describes; null if it describes none. */
export function parseDescription(whole: string): Protocol | null {
  const [, name, inner] = /^([^{]*)\{(.*)\}$/s.exec(whole) ?? [];
  if (name === undefined || inner === undefined) return null;
  const methods: Record<string, MethodShape> = Object.create(null);
  for (const described of inner === "" ? [] : inner.split(";")) {
    const [, method, , needs, request, reply] =
      /^([^!(]+)(!([a-z]+))?\(([^()]*)\):\(([^()]*)\)$/.exec(described) ?? [];
    const shapes = { request: shapeOf(request), reply: shapeOf(reply) };
    if (method === undefined || shapes.request === null || shapes.reply === null) return null;
    if (method === NARROW_NAME && Object.values(methods).some((one) => one.needs !== undefined)) continue;
    methods[method] = {
      ...(needs !== undefined && { needs: needs as NonNullable<MethodShape["needs"]> }),
      ...{ request: shapes.request, reply: shapes.reply },
    };
  }
  try {
    const made = protocol<Methods>(name, methods);
    // What was told and what was understood are the same, to the letter: so are the words of each message.
    return made.description === whole ? made : null;
  } catch {
    return null;
  }
}

function shapeOf(described: string | undefined): Shape | null {
  const shape: Record<string, Field<never, unknown>> = Object.create(null);
  if (described === undefined) return null;
  for (const one of described === "" ? [] : described.split(",")) {
    const at = one.indexOf(":");
    const field = at < 1 ? null : fieldOf(one.slice(at + 1));
    if (field === null) return null;
    shape[one.slice(0, at)] = field;
  }
  return shape;
}

const PLAIN: ReadonlyMap<string, Field<never, unknown>> = /* @__PURE__ */ new Map(
  [u8, u16, u32, i32, u53, bool, f64, text, bytes, capability].map((field) => [field.name, field]),
);

function fieldOf(name: string): Field<never, unknown> | null {
  const plain = PLAIN.get(name);
  if (plain !== undefined) return plain;
  const [, kind, more] = /^(own|text<=|bytes<=|\w+\[<=)(.*?)\]?$/.exec(name) ?? [];
  if (kind === undefined || more === undefined) return null;
  if (kind === "own") {
    const rights = more === "" ? [] : more.trim().split("+");
    return rights.every(isRightName) ? own(rights as RightName[]) : null;
  }
  const most = /^\d{1,3}$/.test(more) ? Number(more) : 0;
  if (most === 0) return null;
  if (kind === "text<=") return textUpTo(most);
  if (kind === "bytes<=") return bytesUpTo(most);
  const element = PLAIN.get(kind.slice(0, -"[<=".length));
  return element === undefined || element === capability ? null : listOf(element, most);
}

function listOf(element: Field<never, unknown>, most: number): Field<never, unknown> | null {
  try {
    return list(element as Field<number>, most);
  } catch {
    return null;
  }
}
