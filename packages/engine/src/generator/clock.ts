/**
 * What a guest's checks call when their fuel is out, about every thousandth loop or call.
 *
 * In code that may yield, the check yields when the core is wanted. All other code runs to a hard
 * limit of time and is then condemned: from there on every check throws, `catch` clauses pass the
 * sentinel on, and the kernel drops the context as soon as the guest lets go. A guest that makes no
 * checks (inside one long built-in) is the watchdog's business.
 *
 * A core whose guest has come this far without a trap says that it is quiescent, so that no grace period waits for
 * it: see `endLongRun` in the kernel's loop.
 */
import { Attention, BootInfo, nowNs, quiesce } from "@capos/hal";
import type { EngineCore } from "../engine.js";
import { isOverBudget } from "./heap.js";
import type { GuestChecks } from "./realm-type.js";

/** The part of the watchdog's time that code which cannot yield may run. */
const HARD_LIMIT_SHARE = 0.25;
/** Calls of the checks between two looks at the heap: a look costs as much as a few hundred checks. */
const CALLS_PER_LOOK = 16;

/** Makes a core's checks. They run on the guest's stack, keep no state but the core's and may throw anywhere. */
export function makeChecks(k: EngineCore): GuestChecks {
  const limitNs = k.i32[BootInfo.WATCHDOG_MS] * 1e6 * HARD_LIMIT_SHARE;
  const sentinel = Object.freeze({ __proto__: null });
  let callsToLook = CALLS_PER_LOOK;

  function condemn(overBudget: boolean): never {
    k.overBudget = overBudget;
    k.condemned = true;
    // The loop looks for a condemned guest only after a long run.
    k.ranLong = true;
    throw sentinel;
  }

  function lookAtHeap(): void {
    if (--callsToLook > 0) return;
    if (isOverBudget()) condemn(true);
    callsToLook = CALLS_PER_LOOK;
  }

  /** True if something wants the core; otherwise it is quiescent until the guest lets go. */
  function isWanted(): boolean {
    const { i32, attention } = k;
    if (k.quiescent) return Atomics.load(i32, attention) !== Attention.QUIESCENT;
    // Nobody counts a core as passed that may have a message without a bell.
    k.stopWatching();
    if (!quiesce(i32, attention)) return true;
    k.quiescent = true;
    return false;
  }

  // No function with a prototype: a guest that got hold of one could leave something there for others.
  const spend = (): void => {
    if (k.condemned) throw sentinel;
    k.ranLong = true;
    // The clock first: where the stack ends in one of these calls nothing is half done.
    const now = nowNs();
    // One step counts for half the limit at most: should the process have been stopped meanwhile, that alone
    // condemns nobody.
    const step = k.ticks === 0 ? 0 : Math.min(now - k.tickedNs, limitNs / 2);
    k.spentNs = k.ticks === 0 ? 0 : k.spentNs + step;
    k.tickedNs = now;
    k.ticks++;
    isWanted();
    if (k.spentNs > limitNs) condemn(false);
    lookAtHeap();
  };
  const checks: GuestChecks = {
    tick: spend,
    tickMain(): boolean {
      if (k.condemned) throw sentinel;
      lookAtHeap();
      k.ranLong = true;
      if (isWanted()) return true;
      // Nothing wants the core: going on costs nobody anything, however long. And who would have yielded
      // here owes nothing for what it called before.
      k.ticks = 0;
      return false;
    },
    caught(): void {
      if (k.condemned) throw sentinel;
    },
    work(): void {
      callsToLook = 0;
      spend();
    },
  };
  // Every image of this core is given the same ones.
  for (const check of Object.values(checks)) Object.freeze(check);
  return Object.freeze(checks);
}

/** The longest that code which cannot yield may run, in milliseconds, for messages. */
export function hardLimitMs(k: EngineCore): number {
  return k.i32[BootInfo.WATCHDOG_MS] * HARD_LIMIT_SHARE;
}
