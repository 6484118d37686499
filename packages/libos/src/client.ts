/**
 * The calling side of a protocol: one generator a method.
 *
 * Every call sets the receive window to exactly what its answer brings (nothing, for most), so a
 * server can never fill slots that were meant for something else. A call that fails leaves no
 * capability behind and no slot taken.
 */
import { Err } from "@capos/abi";
import { FieldKind } from "./fields.js";
import { type AnyKind, type Home, hold } from "./held.js";
import { IpcError } from "./ipc-error.js";
import { decodeFields, encodeFields, type Message, type Values } from "./message.js";
import type { MethodEntry } from "./method.js";
import { Outgoing, settle } from "./outgoing.js";
import type { Steps } from "./steps.js";
import { callWith } from "./trap.js";

const NOTHING: Values = Object.freeze({});

/** Capabilities on their way out. Filled and used up between two traps, so one list serves all calls. */
const outgoing = new Outgoing();

/** Where a client lives; without slots for what comes, if nothing does. */
export type ClientHome = Pick<Home, "sys"> & { readonly slots: Home["slots"] | undefined };

/** One method of a client. `kind` is what the server's own objects are. */
export function makeCall(
  home: ClientHome,
  handle: number,
  entry: MethodEntry,
  kind: AnyKind,
): (request?: Values) => Steps<Values> {
  const { sys, slots } = home;
  const { request: message, reply, word0 } = entry;
  const { words } = sys;
  const expected = reply.capabilities;
  if (expected > 0 && slots === undefined)
    throw new TypeError(`${reply.title} brings capabilities: its client needs slots for them`);
  const owned = ownFields(reply);

  return function* call(request: Values = NOTHING): Steps<Values> {
    const count = encodeFields(message, words, request, outgoing);
    words[0] = word0;
    const window = expected === 0 ? 0 : slots!.take(expected);
    sys.receiveInto(window, expected);
    const leaving =
      message.capabilities > 0 && outgoing.leaves ? outgoing.leaving(message.capabilities) : undefined;
    const answer = yield callWith(sys, handle, count, outgoing, message.capabilities);

    if (answer > 0 && words[0] === Err.OK) {
      const values = decodeFields(reply, words, answer, sys.arrived(), sys);
      if (values !== null) {
        for (const name of owned) values[name] = hold(kind, home as Home, values[name] as number);
        if (leaving !== undefined) yield* settle(sys, slots, leaving);
        return values;
      }
    }
    // Why it failed stands in the words, which dropping would overwrite.
    const code = answer < 0 ? answer : answer > 0 && words[0] < 0 ? words[0] : Err.RANGE;
    const detail =
      code === Err.RANGE && answer >= 0 && words[0] !== Err.RANGE ? "the answer is malformed" : "";
    if (window > 0) {
      if (answer < 0) slots!.give(window, expected);
      else yield* slots!.dropArrived(sys, window, expected);
    }
    throw new IpcError(code, reply.title, detail);
  };
}

function ownFields(message: Message): string[] {
  return message.fields.filter((field) => field.kind === FieldKind.OWN).map((field) => field.name);
}
