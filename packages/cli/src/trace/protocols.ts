/** Protocols that are known by name: those of capos, and those of a user's own module. */

import { bundle, findEntry, GuestBuildError } from "@capos/image";
import * as libos from "@capos/libos";
import { type Decoded, decode, type WireProtocol } from "@capos/libos";
import { UsageError } from "@capos/machine/errors";
import { Registry } from "@capos/servers/guests/registry";

/** Word 0 of a request is the protocol's id times this, plus the method's number. */
const METHODS = 256;

function isProtocol(value: unknown): value is WireProtocol {
  if (typeof value !== "object" || value === null) return false;
  const { name, id, methods } = value as Partial<WireProtocol>;
  return typeof name === "string" && typeof id === "number" && Array.isArray(methods);
}

/** A message as it is shown. */
export interface ShownMessage {
  /** Protocol and method, "" if the message is of no known protocol. */
  readonly title: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly decoded: Decoded | null;
}

export class Protocols {
  readonly #byId = new Map<number, WireProtocol>();
  readonly #byName = new Map<string, WireProtocol>();

  constructor(others: readonly WireProtocol[] = []) {
    const ownProtocols = (Object.values(libos) as unknown[]).filter(isProtocol);
    for (const one of [...ownProtocols, Registry, ...others]) {
      this.#byId.set(one.id, one);
      this.#byName.set(one.name, one);
    }
  }

  request(words: readonly number[]): ShownMessage {
    const word0 = words[0] ?? 0;
    const id = Math.floor(word0 / METHODS);
    const known = this.#byId.get(id);
    const decoded = known === undefined ? null : decode(known, words, words.length, "request");
    if (decoded !== null) return shown(decoded);
    const isOfSome = words.length > 0 && Number.isInteger(word0) && id > 0 && id < 2 ** 32;
    const unknown = { protocol: `0x${id.toString(16)}`, method: word0 % METHODS };
    return { title: "", args: { message: isOfSome ? { ...unknown, words } : { words } }, decoded: null };
  }

  /** @param request what it replies to, if that is known */
  reply(words: readonly number[], request: Decoded | null): ShownMessage {
    const known = request === null ? undefined : this.#byName.get(request.protocol);
    const decoded = known === undefined ? null : decode(known, words, words.length, "reply", request!.method);
    return decoded === null ? { title: "", args: { message: { words } }, decoded: null } : shown(decoded);
  }
}

function shown(decoded: Decoded): ShownMessage {
  const { protocol, method, status, fields } = decoded;
  return {
    title: `${protocol}.${method}`,
    args: { message: { protocol, method, status, ...fields } },
    decoded,
  };
}

/**
 * The protocols that a guest's module exports. Its code runs in this process, with all that the process may do.
 * @throws UsageError if it cannot be read or exports none
 */
export async function loadProtocols(file: string): Promise<WireProtocol[]> {
  const found = Object.values(await importGuest(file)).filter(isProtocol);
  if (found.length === 0) throw new UsageError(`--protocols: ${file} exports no protocol`);
  return found;
}

async function importGuest(file: string): Promise<object> {
  let code: string;
  try {
    ({ code } = await bundle(await findEntry(file), false));
  } catch (error) {
    if (error instanceof GuestBuildError) throw new UsageError(`--protocols: ${error.message}`);
    throw error;
  }
  try {
    return (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as object;
  } catch (error) {
    throw new UsageError(`--protocols: ${file} failed: ${error instanceof Error ? error.message : error}`);
  }
}
