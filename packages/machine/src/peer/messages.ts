/** Messages of declared protocols to and from the words that the bridge passes on. */
import { Err, MAX_MESSAGE_WORDS } from "@capos/abi";
import { IpcError } from "@capos/libos";
import {
  decodeFields,
  encodeFields,
  FieldKind,
  type Message,
  Outgoing,
  type Values,
} from "@capos/libos/wire";
import { Reference } from "./reference.js";
import type { RawMessage, Session } from "./session.js";

/** Used up at once each. */
const words = new Float64Array(MAX_MESSAGE_WORDS);
const outgoing = new Outgoing();

/** A message, and the references that leave the host with it. */
export interface Encoded extends RawMessage {
  readonly moved: readonly Reference[];
}

/** The references behind the clients that came in messages. */
const behind = new WeakMap<object, Reference>();

export function rememberReference(client: object, reference: Reference): void {
  behind.set(client, reference);
}

/**
 * @param word0 the message's first word
 * @throws RangeError for a value that its field cannot hold; IpcError (`BAD_CAP`) for a reference that is none of this machine's, or closed
 */
export function encode(session: Session, message: Message, word0: number, values: Values): Encoded {
  const given: Values = { ...values };
  const references: Reference[] = [];
  for (const { name, kind } of message.fields) {
    const value = given[name];
    if (kind === FieldKind.BYTES || kind === FieldKind.LIST) {
      if (value instanceof Uint8Array) given[name] = Array.from(value);
    } else if (kind === FieldKind.CAPABILITY || kind === FieldKind.OWN) {
      const [reference, shown] = referenceIn(value);
      if (reference === undefined) {
        // Its number would be another's.
        throw new RangeError(`${message.title}: ${name} must be a reference`);
      }
      if (reference.session !== session) throw new IpcError(Err.BAD_CAP, message.title);
      reference.check();
      references.push(reference);
      given[name] = shown;
    }
  }
  const count = encodeFields(message, words, given, outgoing);
  words[0] = word0;
  return {
    words: Array.from(words.subarray(0, count)),
    capabilities: references.map(({ handle }, i) => ({ reference: handle, rights: outgoing.rightsOf(i) })),
    moved: references.filter((_, i) => outgoing.isMoved(i)),
  };
}

/** The reference that a value is about, and the value as fields are encoded from. */
function referenceIn(value: unknown): readonly [Reference | undefined, unknown] {
  if (value instanceof Reference) return [value, value.handle];
  if (typeof value !== "object" || value === null) return [undefined, value];
  const client = behind.get(value);
  if (client !== undefined) return [client, client.handle];
  const { capability } = value as { capability?: unknown };
  return capability instanceof Reference
    ? [capability, { ...value, capability: capability.handle }]
    : [undefined, value];
}

/** The values of a message; null if it is malformed, and what it brought is given up then. @param own makes the value of an `own` field */
export function decode(
  session: Session,
  message: Message,
  { words: received, capabilities }: RawMessage,
  own: (reference: Reference) => unknown,
): Values | null {
  const source = { capability: (i: number) => capabilities[i]?.reference ?? 0 };
  const values = decodeFields(
    message,
    Float64Array.from(received),
    received.length,
    capabilities.length,
    source,
  );
  if (values === null) {
    session.drop(capabilities);
    return null;
  }
  for (const { name, kind } of message.fields) {
    if (kind !== FieldKind.CAPABILITY && kind !== FieldKind.OWN) continue;
    const reference = new Reference(session, values[name] as number);
    values[name] = kind === FieldKind.OWN ? own(reference) : reference;
  }
  return values;
}
