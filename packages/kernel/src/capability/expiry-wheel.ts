/**
 * Capabilities by the time they expire: a hierarchical timing wheel, four levels of 64 lists.
 *
 * A tick is 8.4 ms. Level n holds what is due within 64^(n+1) ticks, in lists of 64^n ticks each; what is due
 * later than the last level reaches (39 hours) waits in its farthest list. Only capabilities whose time
 * is earlier than their parent's are in it: what inherited its time goes with them. Lists are threaded
 * through the slots (LINK forward, WATERMARK back); a first slot's WATERMARK is below 0 and says which
 * list.
 *
 * Source of the structure: Varghese and Lauck, "Hashed and hierarchical timing wheels", 1987.
 */
import { Slot } from "@capos/abi";
import { armAlarm } from "@capos/hal";
import type { Locked } from "../smp/tree-lock.js";
import { Tables } from "../state/layout.js";
import type { SlotRef } from "../state/references.js";

const TICK_NS = 2 ** 23;
const LISTS = 64;
const LEVELS = 4;

/** The tick that a time belongs to: it is over when the time has come. */
function tickOf(timeNs: number): number {
  return Math.ceil(timeNs / TICK_NS);
}

function expiryOf(k: Locked, slot: SlotRef): number {
  return k.f64[(slot + Slot.EXPIRY) >> 1];
}

/** Which list a tick belongs to, as seen at another. */
function listOf(tick: number, now: number): number {
  let level = 0;
  let span = 1;
  let at = Math.max(tick, now);
  while (level < LEVELS - 1 && at - now >= span * LISTS) {
    level++;
    span *= LISTS;
  }
  at = Math.min(at, now + span * (LISTS - 1));
  return level * LISTS + (Math.floor(at / span) % LISTS);
}

/** Enters a slot whose EXPIRY is set. */
export function enterWheel(k: Locked, slot: SlotRef, nowNs: number): void {
  const { i32, f64 } = k;
  const tick = (k.tables + Tables.WHEEL_TICK) >> 1;
  if (i32[k.tables + Tables.EXPIRING]++ === 0) f64[tick] = Math.floor(nowNs / TICK_NS);
  insert(k, slot);
  const due = tickOf(expiryOf(k, slot)) * TICK_NS;
  if (due < f64[(k.tables + Tables.ALARM_NS) >> 1]) setAlarm(k, due);
}

function insert(k: Locked, slot: SlotRef): void {
  const { i32, f64 } = k;
  const list = listOf(tickOf(expiryOf(k, slot)), f64[(k.tables + Tables.WHEEL_TICK) >> 1]);
  const head = k.tables + Tables.EXPIRY_WHEEL + list;
  const first = i32[head];
  i32[slot + Slot.WATERMARK] = -1 - list;
  i32[slot + Slot.LINK] = first;
  if (first !== 0) i32[first + Slot.WATERMARK] = slot;
  i32[head] = slot;
}

/** Takes a slot out. */
export function leaveWheel(k: Locked, slot: SlotRef): void {
  k.i32[k.tables + Tables.EXPIRING]--;
  remove(k, slot, k.i32[slot + Slot.LINK]);
}

/** A slot in the wheel moves. Its list words have moved already. */
export function moveInWheel(k: Locked, source: SlotRef, destination: SlotRef): void {
  remove(k, source, destination);
  const next = k.i32[source + Slot.LINK];
  if (next !== 0) k.i32[next + Slot.WATERMARK] = destination;
}

/** Has another slot stand where this one stood. */
function remove(k: Locked, slot: SlotRef, successor: number): void {
  const { i32 } = k;
  const previous = i32[slot + Slot.WATERMARK];
  if (previous < 0) i32[k.tables + Tables.EXPIRY_WHEEL - 1 - previous] = successor;
  else i32[previous + Slot.LINK] = successor;
  if (successor !== 0) i32[successor + Slot.WATERMARK] = previous;
}

/**
 * The next slot whose time has come; 0 if there is none, and then the alarm is set for the time to look
 * again. Takes at most 64 steps; -1 says that there is more to look at.
 */
export function nextExpired(k: Locked, nowNs: number): SlotRef | 0 | -1 {
  const { i32, f64 } = k;
  const tickAt = (k.tables + Tables.WHEEL_TICK) >> 1;
  for (let steps = 0; steps < LISTS; steps++) {
    const list = nextList(k);
    if (list < 0) {
      setAlarm(k, Number.POSITIVE_INFINITY);
      return 0;
    }
    const span = LISTS ** Math.floor(list / LISTS);
    const tick = startOf(list, f64[tickAt]);
    if (tick * TICK_NS > nowNs) {
      setAlarm(k, tick * TICK_NS);
      return 0;
    }
    f64[tickAt] = Math.max(f64[tickAt], tick);
    const slot = i32[k.tables + Tables.EXPIRY_WHEEL + list] as SlotRef;
    if (span === 1 && expiryOf(k, slot) <= nowNs) return slot;
    // From a list of many ticks to where it belongs now.
    remove(k, slot, i32[slot + Slot.LINK]);
    insert(k, slot);
  }
  return -1;
}

/** The list that is due first, -1 if all are empty. */
function nextList(k: Locked): number {
  const { i32, f64 } = k;
  const now = f64[(k.tables + Tables.WHEEL_TICK) >> 1];
  let best = -1;
  let bestTick = Number.POSITIVE_INFINITY;
  for (let list = 0; list < LEVELS * LISTS; list++) {
    if (i32[k.tables + Tables.EXPIRY_WHEEL + list] === 0) continue;
    const tick = startOf(list, now);
    if (tick < bestTick) {
      best = list;
      bestTick = tick;
    }
  }
  return best;
}

/** The first tick of a list, from `now` on. */
function startOf(list: number, now: number): number {
  const span = LISTS ** Math.floor(list / LISTS);
  const turn = Math.floor(now / span);
  const ahead = ((list % LISTS) - (turn % LISTS) + LISTS) % LISTS;
  return Math.max(now, (turn + ahead) * span);
}

function setAlarm(k: Locked, timeNs: number): void {
  k.f64[(k.tables + Tables.ALARM_NS) >> 1] = timeNs;
  armAlarm(k.memory, timeNs);
}
