/**
 * Traps that carry capabilities from a list.
 *
 * `sys` takes handles as rest arguments. Spreading a list into them would make an array per call; the
 * one or two handles that nearly every such message has are written out instead.
 */
import type { Sys } from "@capos/abi";

/** `sys.call` with the first `carried` handles of a list. */
export function callWith(
  sys: Sys,
  handle: number,
  count: number,
  handles: number[],
  carried: number,
): number {
  if (carried === 0) return sys.call(handle, count);
  if (carried === 1) return sys.call(handle, count, handles[0]!);
  return sys.call(handle, count, ...handles.slice(0, carried));
}

/** `sys.reply` with the first `carried` handles of a list. */
export function replyWith(sys: Sys, count: number, handles: number[], carried: number): number {
  if (carried === 0) return sys.reply(count);
  return sys.reply(count, ...handles.slice(0, carried));
}

/** `sys.replyTo` with the first `carried` handles of a list. */
export function replyToWith(
  sys: Sys,
  reply: number,
  count: number,
  handles: number[],
  carried: number,
): number {
  if (carried === 0) return sys.replyTo(reply, count);
  return sys.replyTo(reply, count, ...handles.slice(0, carried));
}

/** `sys.replyRecv` with the first `carried` handles of a list. */
export function replyRecvWith(
  sys: Sys,
  handle: number,
  count: number,
  handles: number[],
  carried: number,
): number {
  if (carried === 0) return sys.replyRecv(handle, count);
  if (carried === 1) return sys.replyRecv(handle, count, handles[0]!);
  return sys.replyRecv(handle, count, ...handles.slice(0, carried));
}
