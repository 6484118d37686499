/** Clients of the host's: the methods of a protocol, each a call through the bridge. */
import { Err } from "@capos/abi";
import { IpcError, type Methods, type Protocol, protocol } from "@capos/libos";
import {
  DESCRIBE,
  MAX_DESCRIPTION_PARTS,
  type MethodEntry,
  parseDescription,
  type Values,
} from "@capos/libos/wire";
import { UsageError } from "../errors.js";
import { inRange } from "../ranges.js";
import { decode, encode, rememberReference } from "./messages.js";
import type { Reference } from "./reference.js";
import { Turns } from "./turns.js";
import type { CallOptions, ClientOptions, PeerClient } from "./types.js";

const DEFAULT_OUTSTANDING = 8;
const MAX_OUTSTANDING = 32;
const MAX_TIMEOUT_MS = 2 ** 31 - 1;
const NOTHING: Values = Object.freeze({});
/** Of what is asked of all servers. */
const NO_PROTOCOL = protocol("", {});
/** The method behind the others of a protocol with objects: for guests' typed capabilities. */
const NARROW = "narrow";

/** Where the calls of a client go. */
export interface Target {
  /** The capability that they go through. Rejects as a call does. */
  reference(signal: AbortSignal | undefined): Promise<Reference>;
  /** Gives it up. */
  close(): void;
}

/** Target for a reference that there is. */
export function targetOf(reference: Reference): Target {
  return {
    async reference() {
      reference.check();
      return reference;
    },
    close: () => reference.close(),
  };
}

/** @throws UsageError for an option out of range */
export function makeClient<M extends Methods>(
  protocol: Protocol<M>,
  target: Target,
  options: ClientOptions,
): PeerClient<M> {
  const turns = new Turns(
    inRange("outstanding", options.outstanding ?? DEFAULT_OUTSTANDING, 1, MAX_OUTSTANDING),
  );
  checkTimeout(options.timeoutMs);
  const client: Record<string, unknown> = {};
  for (const entry of protocol.methods) {
    if (entry.name === NARROW) continue;
    client[entry.name] = (request: Values = NOTHING, more: CallOptions = {}): Promise<Values> =>
      bounded(entry.request.title, [options, more], async (signal) => {
        await turns.take(signal);
        try {
          return await call(protocol, target, entry, request, signal);
        } finally {
          turns.give();
        }
      });
  }
  return Object.freeze(
    Object.assign(client, { [Symbol.dispose]: () => target.close() }),
  ) as unknown as PeerClient<M>;
}

async function call<M extends Methods>(
  protocol: Protocol<M>,
  target: Target,
  { request: message, reply, word0 }: MethodEntry,
  request: Values,
  signal: AbortSignal | undefined,
): Promise<Values> {
  const reference = await target.reference(signal);
  const { session } = reference;
  const encoded = encode(session, message, word0, request);
  const answer = await session.call(reference.handle, encoded, signal);
  for (const moved of encoded.moved) moved.close();
  const [status] = answer.words;
  if (status === Err.OK) {
    const values = decode(session, reply, answer, (own) => {
      const client = makeClient(protocol, targetOf(own), {});
      rememberReference(client, own);
      return client;
    });
    if (values !== null) return values;
  } else session.drop(answer.capabilities);
  if (status !== undefined && status < 0) throw new IpcError(status, reply.title);
  throw new IpcError(Err.RANGE, reply.title, "the answer is malformed");
}

/** What whoever receives from a capability serves. @throws IpcError: `UNSUPPORTED` if it does not say; as a call does */
export async function describe(reference: Reference, signal?: AbortSignal): Promise<Protocol> {
  let whole = "";
  for (let index = 0; ; index++) {
    const { parts, text } = await call(NO_PROTOCOL, targetOf(reference), DESCRIBE, { index }, signal);
    whole += text as string;
    if (index + 1 < Math.min(parts as number, MAX_DESCRIPTION_PARTS)) continue;
    const described = parseDescription(whole);
    if (described !== null) return described;
    throw new IpcError(Err.RANGE, "describe", "the answer is no description");
  }
}

function checkTimeout(timeoutMs: number | undefined): void {
  if (timeoutMs !== undefined && !(timeoutMs > 0 && timeoutMs <= MAX_TIMEOUT_MS))
    throw new UsageError(
      `timeoutMs: ${timeoutMs} is out of range, above 0 to ${MAX_TIMEOUT_MS} are possible`,
    );
}

/** Works until a signal aborts or the time is up, whose reasons what it throws then is. */
async function bounded<T>(
  title: string,
  bounds: readonly CallOptions[],
  work: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  const signals = bounds.flatMap(({ signal }) => signal ?? []);
  const times = bounds.flatMap(({ timeoutMs }) => timeoutMs ?? []);
  for (const time of times) checkTimeout(time);
  if (signals.length === 0 && times.length === 0) return work(undefined);
  const late = new AbortController();
  const timer =
    times.length === 0
      ? undefined
      : setTimeout(() => late.abort(new IpcError(Err.TIMEOUT, title)), Math.min(...times));
  try {
    return await work(AbortSignal.any([...signals, late.signal]));
  } finally {
    clearTimeout(timer);
  }
}
