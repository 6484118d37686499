/**
 * What a guest's checks call when their fuel is out, about every thousandth loop or call.
 *
 * In code that may yield, the check yields when the core is wanted. All other code runs until the watchdog says that
 * it has used up its time, and is then condemned: from there on every check throws, `catch` clauses pass the
 * sentinel on, and the kernel drops the context as soon as the guest lets go. A guest that makes no
 * checks (inside one long built-in) is the watchdog's business.
 *
 * A core whose guest has come this far without a trap says that it is quiescent, so that no grace period waits for
 * it: see `Core.isWanted` in the kernel.
 */
import { types } from "node:util";
import { CoreArea, isSpent, runLimitText } from "@capos/hal";
import type { EngineCore } from "../engine.js";
import { whyNoTrap } from "../fault.js";
import type { GuestHeap } from "./heap.js";
import { assignKept } from "./overrides.js";
import type { GuestChecks } from "./realm-type.js";
import { MAX_LENGTH } from "./shim-guard.js";

/** Elements that are spread without a look at the heap. */
const FEW = 1024;
const { isArray } = Array;
const { isGeneratorObject } = types;
/** How V8 iterates arrays by itself. */
const elements = Array.prototype[Symbol.iterator];

/** Calls of the checks between two looks at the heap: a look costs as much as a few hundred checks. */
const CALLS_PER_LOOK = 16;

/**
 * Makes a core's checks. They run on the guest's stack, wherever it ends: they keep no state but the core's, call
 * nothing that runs JavaScript of others, and may throw anywhere.
 */
export function makeClock(k: EngineCore, heap: GuestHeap): Clock {
  const { i32 } = k;
  const turns = k.area + CoreArea.TURNS;
  const sentinel = Object.freeze({ __proto__: null });
  let callsToLook = CALLS_PER_LOOK;
  /** Made where the guest was condemned: V8 notes its frames. */
  let condemnedAt: Error | null = null;

  function condemn(overBudget: boolean): never {
    k.overBudget = overBudget;
    k.condemned = k.current;
    condemnedAt = new Error();
    // The loop looks for a condemned guest only after a long run.
    k.ranLong = true;
    throw sentinel;
  }

  /** True if the loop is wanted, to end another thread. */
  function lookAtHeap(): boolean {
    if (--callsToLook > 0) return false;
    const holder = heap.look();
    if (holder !== 0 && k.contexts[holder] === k.context) condemn(true);
    callsToLook = CALLS_PER_LOOK;
    return holder !== 0;
  }

  // No function with a prototype: a guest that got hold of one could leave something there for others.
  const spend = (): void => {
    if (k.condemned !== 0) throw sentinel;
    k.ranLong = true;
    k.isWanted();
    if (isSpent(i32, k.area)) condemn(false);
    lookAtHeap();
  };
  const checks: GuestChecks = {
    tick: spend,
    tickMain(): boolean {
      if (k.condemned !== 0) throw sentinel;
      const holds = lookAtHeap();
      k.ranLong = true;
      if (holds || k.isWanted()) return true;
      // Nothing wants the core: going on costs nobody anything, however long. And who would have yielded
      // here owes nothing for what it called before.
      i32[turns]++;
      return false;
    },
    caught(): void {
      if (k.condemned !== 0) throw sentinel;
    },
    // A literal can be made of any number of these without another check, and V8 ends the process if an array
    // grows past its bounds.
    spread(iterable): unknown {
      if (isArray(iterable) && iterable[Symbol.iterator] === elements) {
        const { length } = iterable;
        if (length > MAX_LENGTH)
          throw new RangeError(`a spread of ${length} elements, the limit is ${MAX_LENGTH}`);
        if (length > FEW) checks.work();
        return iterable;
      }
      const all: unknown[] = [];
      for (const element of iterable as Iterable<unknown>) {
        if (all.length === MAX_LENGTH) throw new RangeError(`a spread of more elements than ${MAX_LENGTH}`);
        if (all.push(element) % FEW === 0) checks.work();
      }
      return all;
    },
    assigned(it, key, value, refusal): unknown {
      if (k.condemned !== 0) throw sentinel;
      return assignKept(it, key, value, refusal);
    },
    notATrap(value): never {
      throw new TypeError(whyNoTrap(value));
    },
    dropped(value): void {
      if (isGeneratorObject(value))
        throw new TypeError(
          "a generator was called and not run: did you mean yield*? (Write void before it if not.)",
        );
    },
    work(): void {
      callsToLook = 0;
      spend();
    },
  };
  // Every image of this core is given the same ones.
  for (const check of Object.values(checks)) Object.freeze(check);
  return Object.freeze({
    checks: Object.freeze(checks),
    takeCondemned() {
      const where = condemnedAt;
      condemnedAt = null;
      return where;
    },
  });
}

/** A core's checks, and for the loop where they condemned a guest. */
export interface Clock {
  readonly checks: GuestChecks;
  /** An error that was made there, of interest for its stack; once. */
  takeCondemned(): Error | null;
}

/** Why a guest is condemned that ran too long, and what to do about it. */
export function ranTooLong(k: EngineCore): string {
  const limit = `ran for more than ${runLimitText(k.memory, k.area)} without a trap`;
  return `${limit}, the limit of code that cannot yield: call it directly from main or under yield*, or do less at a time`;
}
