/**
 * What a guest's checks call when their fuel is out, about every thousandth loop or call.
 *
 * In code that may yield, the check yields when the core is wanted. All other code runs until the watchdog says that
 * it has used up its time, and is then condemned: from there on every check throws, `catch` clauses pass the
 * sentinel on, and the kernel drops the context as soon as the guest lets go. A guest that makes no
 * checks (inside one long built-in) is the watchdog's business.
 *
 * A core whose guest has come this far without a trap says that it is quiescent, so that no grace period waits for
 * it: see `endLongRun` in the kernel's loop.
 */
import { Attention, CoreArea, isSpent, quiesce, runLimitText } from "@capos/hal";
import type { EngineCore } from "../engine.js";
import type { GuestHeap } from "./heap.js";
import type { GuestChecks } from "./realm-type.js";

/** Calls of the checks between two looks at the heap: a look costs as much as a few hundred checks. */
const CALLS_PER_LOOK = 16;

/**
 * Makes a core's checks. They run on the guest's stack, wherever it ends: they keep no state but the core's, call
 * nothing that runs JavaScript of others, and may throw anywhere.
 */
export function makeChecks(k: EngineCore, heap: GuestHeap): GuestChecks {
  const { i32 } = k;
  const turns = k.area + CoreArea.TURNS;
  const sentinel = Object.freeze({ __proto__: null });
  let callsToLook = CALLS_PER_LOOK;

  function condemn(overBudget: boolean): never {
    k.overBudget = overBudget;
    k.condemned = k.current;
    // The loop looks for a condemned guest only after a long run.
    k.ranLong = true;
    throw sentinel;
  }

  function lookAtHeap(): void {
    if (--callsToLook > 0) return;
    if (heap.isOverBudget()) condemn(true);
    callsToLook = CALLS_PER_LOOK;
  }

  /** True if something wants the core; otherwise it is quiescent until the guest lets go. */
  function isWanted(): boolean {
    const { attention } = k;
    if (k.quiescent) return Atomics.load(i32, attention) !== Attention.QUIESCENT;
    if (!quiesce(i32, attention)) return true;
    k.quiescent = true;
    return false;
  }

  // No function with a prototype: a guest that got hold of one could leave something there for others.
  const spend = (): void => {
    if (k.condemned !== 0) throw sentinel;
    k.ranLong = true;
    isWanted();
    if (isSpent(i32, k.area)) condemn(false);
    lookAtHeap();
  };
  const checks: GuestChecks = {
    tick: spend,
    tickMain(): boolean {
      if (k.condemned !== 0) throw sentinel;
      lookAtHeap();
      k.ranLong = true;
      if (isWanted()) return true;
      // Nothing wants the core: going on costs nobody anything, however long. And who would have yielded
      // here owes nothing for what it called before.
      i32[turns]++;
      return false;
    },
    caught(): void {
      if (k.condemned !== 0) throw sentinel;
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

/** Why a guest is condemned that ran too long. */
export function ranTooLong(k: EngineCore): string {
  return `ran for more than ${runLimitText(k.memory, k.area)} without a trap`;
}
