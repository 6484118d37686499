/**
 * The calling side of a protocol: one generator a method.
 *
 * Every call sets the receive window to exactly what its answer brings (nothing, for most), so a
 * server can never fill slots that were meant for something else. A call that fails leaves no
 * capability behind and no slot taken.
 */
import { Err, type Sys } from "@capos/abi";
import { IpcError } from "./ipc-error.js";
import { decodeFields, encodeFields, type Given, type Received, type Values } from "./message.js";
import type { MethodEntry, Methods } from "./method.js";
import type { Slots } from "./slots.js";
import type { Steps } from "./steps.js";
import { callWith } from "./trap.js";

/** The methods of a protocol as its users call them: `yield* echo.ping({ value: 1 })`. */
export type Client<M extends Methods> = {
  readonly [N in keyof M]: keyof M[N]["request"] extends never
    ? (request?: Given<M[N]["request"]>) => Steps<Received<M[N]["reply"]>>
    : (request: Given<M[N]["request"]>) => Steps<Received<M[N]["reply"]>>;
};

const NOTHING: Values = Object.freeze({});

/** Handles on their way out. Filled and used up between two traps, so one list serves all calls. */
const outgoing: number[] = [0, 0, 0, 0];

/** One method of a client. */
export function makeCall(
  sys: Sys,
  handle: number,
  entry: MethodEntry,
  slots: Slots | undefined,
): (request?: Values) => Steps<Values> {
  const { request: message, reply, word0 } = entry;
  const { words } = sys;
  const expected = reply.capabilities;
  if (expected > 0 && slots === undefined)
    throw new TypeError(`${reply.title} brings capabilities: its client needs slots for them`);

  return function* call(request: Values = NOTHING): Steps<Values> {
    const count = encodeFields(message, words, request, outgoing);
    words[0] = word0;
    const window = expected === 0 ? 0 : slots!.take(expected);
    sys.receiveInto(window, expected);
    const answer = yield callWith(sys, handle, count, outgoing, message.capabilities);

    if (answer > 0 && words[0] === Err.OK) {
      const values = decodeFields(reply, words, answer, sys.arrived(), sys);
      if (values !== null) return values;
    }
    // Why it failed stands in the words, which dropping would overwrite.
    const code = answer < 0 ? answer : answer > 0 && words[0]! < 0 ? words[0]! : Err.RANGE;
    const detail =
      code === Err.RANGE && answer >= 0 && words[0] !== Err.RANGE ? "the answer is malformed" : "";
    if (window > 0) {
      if (answer < 0) slots!.give(window, expected);
      else yield* slots!.dropArrived(sys, window, expected);
    }
    throw new IpcError(code, reply.title, detail);
  };
}
