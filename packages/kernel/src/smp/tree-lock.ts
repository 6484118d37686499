/**
 * The tree lock: orders every change of a capability slot's words and of the derivation tree.
 *
 * A ticket lock, first come first served: spin briefly, then park on the word that says who is
 * served. Never held across a safe point, a ring push or a log line; using a capability never takes it.
 *
 * Who holds it has a token: what changes a slot or the tree takes a `Locked` core, which `lockTree` alone gives.
 */

import { assert } from "../state/assert.js";
import { CHECKED } from "../state/build.js";
import type { Core } from "../state/core.js";
import { KernelCore, KernelInfo } from "../state/layout.js";
import { followKills } from "./grace-period.js";

/** Looks at the lock before parking: a holder needs well under a microsecond. */
const SPINS = 200;

declare const held: unique symbol;

/** A core that holds the tree lock: the core itself, of a type that says so. No use after `unlockTree`. */
export type Locked = Core & { readonly [held]: true };

export function lockTree(k: Core): Locked {
  const { i32 } = k;
  // It would wait for itself.
  if (CHECKED) assert(i32[k.area + KernelCore.TREE_LOCKED] === 0, "tree unlocked");
  const ticket = Atomics.add(i32, KernelInfo.TREE_LOCK_TICKET, 1);
  for (let spins = 0; ; spins++) {
    const served = Atomics.load(i32, KernelInfo.TREE_LOCK);
    if (served === ticket) {
      i32[k.area + KernelCore.TREE_LOCKED] = 1;
      return k as Locked;
    }
    if (spins >= SPINS) Atomics.wait(i32, KernelInfo.TREE_LOCK, served);
  }
}

export function unlockTree(k: Locked): void {
  const { i32 } = k;
  const next = (i32[KernelInfo.TREE_LOCK] + 1) | 0;
  if (CHECKED) assert(i32[k.area + KernelCore.TREE_LOCKED] === 1, "tree locked");
  i32[k.area + KernelCore.TREE_LOCKED] = 0;
  Atomics.store(i32, KernelInfo.TREE_LOCK, next);
  // Somebody holds a later ticket: it may be parked.
  if (Atomics.load(i32, KernelInfo.TREE_LOCK_TICKET) !== next) Atomics.notify(i32, KernelInfo.TREE_LOCK);
  if (k.unmapped) {
    k.unmapped = false;
    // What the guest of this very trap uses next is what there is now.
    k.mmu.flush();
  }
  if (k.killed) {
    k.killed = false;
    followKills(k);
  }
}
