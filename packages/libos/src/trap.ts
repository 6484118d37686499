/**
 * Traps that carry the capabilities of an encoded message.
 *
 * `sys` takes handles as rest arguments. Spreading a list into them would make an array per call; the
 * one or two handles that nearly every such message has are written out instead.
 */
import type { Sys } from "@capos/abi";
import type { Outgoing } from "./outgoing.js";

/** `sys.call` with the first `carried` capabilities of a message. */
export function callWith(
  sys: Sys,
  handle: number,
  count: number,
  outgoing: Outgoing,
  carried: number,
): number {
  if (carried === 0) return sys.call(handle, count);
  const { handles } = outgoing;
  if (carried === 1) return outgoing.mark(sys, sys.call(handle, count, handles[0]), 1);
  return outgoing.mark(sys, sys.call(handle, count, ...handles.slice(0, carried)), carried);
}

/** `sys.reply` with the first `carried` capabilities of a message. */
export function replyWith(sys: Sys, count: number, outgoing: Outgoing, carried: number): number {
  if (carried === 0) return sys.reply(count);
  return outgoing.mark(sys, sys.reply(count, ...outgoing.handles.slice(0, carried)), carried);
}

/** `sys.replyTo` with the first `carried` capabilities of a message. */
export function replyToWith(
  sys: Sys,
  reply: number,
  count: number,
  outgoing: Outgoing,
  carried: number,
): number {
  if (carried === 0) return sys.replyTo(reply, count);
  return outgoing.mark(sys, sys.replyTo(reply, count, ...outgoing.handles.slice(0, carried)), carried);
}

/** `sys.replyRecv` with the first `carried` capabilities of a message. */
export function replyRecvWith(
  sys: Sys,
  handle: number,
  count: number,
  outgoing: Outgoing,
  carried: number,
): number {
  if (carried === 0) return sys.replyRecv(handle, count);
  const { handles } = outgoing;
  if (carried === 1) return outgoing.mark(sys, sys.replyRecv(handle, count, handles[0]), 1);
  return outgoing.mark(sys, sys.replyRecv(handle, count, ...handles.slice(0, carried)), carried);
}
