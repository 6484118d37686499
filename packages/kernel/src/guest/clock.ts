/**
 * What a guest's checks call when their fuel is out, about every thousandth loop or call.
 *
 * In code that may yield, the check yields when the core is wanted. All other code runs to a hard
 * limit of time and is then condemned: from there on every check throws, `catch` clauses pass the
 * sentinel on, and the kernel drops the context as soon as the guest lets go. A guest that makes no
 * checks (inside one long built-in) is the watchdog's business.
 */
import { BootInfo, nowNs } from "@capos/hal";
import type { Core } from "../core.js";
import type { GuestChecks } from "./realm-type.js";

/** The part of the watchdog's time that code which cannot yield may run. */
const HARD_LIMIT_SHARE = 0.25;

/** Makes a core's checks. They run on the guest's stack, keep no state but the core's and may throw anywhere. */
export function makeChecks(k: Core): GuestChecks {
  const limitNs = k.i32[BootInfo.WATCHDOG_MS]! * 1e6 * HARD_LIMIT_SHARE;
  const sentinel = Object.freeze({ __proto__: null });

  function spend(): void {
    if (k.condemned) throw sentinel;
    if (k.ticks++ === 0) k.firstTickNs = nowNs();
    else if (nowNs() - k.firstTickNs > limitNs) {
      k.condemned = true;
      throw sentinel;
    }
  }
  return Object.freeze({
    tick: spend,
    tickMain(): boolean {
      if (k.condemned) throw sentinel;
      // Nothing wants the core: going on costs nobody anything, however long.
      return Atomics.load(k.i32, k.attention) !== 0;
    },
    caught(): void {
      if (k.condemned) throw sentinel;
    },
  });
}

/** The longest that code which cannot yield may run, in milliseconds, for messages. */
export function hardLimitMs(k: Core): number {
  return k.i32[BootInfo.WATCHDOG_MS]! * HARD_LIMIT_SHARE;
}
