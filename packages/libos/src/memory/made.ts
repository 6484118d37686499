/** Objects in blocks of memory of their own, so that it comes back. */
import { Err, handleIndex, type ObjectType, objectBits, SlotState } from "@capos/abi";
import type { Block } from "../block-pool.js";
import type { CapabilityTo } from "../capability.js";
import type { CSpace } from "../cspace.js";
import { type Carried, hold, type Kind } from "../held.js";
import { IpcError } from "../ipc-error.js";
import { untyped } from "../kernel-calls.js";
import { blockBitsFor } from "../object-size.js";
import { type Maker, OwnMemory } from "../own-memory.js";
import type { KernelRight } from "../rights.js";
import type { Steps } from "../steps.js";

/** As much of `Os` as a memory is made with. */
export interface MemoryOwner extends Maker {
  readonly cspace: CSpace;
  readonly environment: { readonly process: number };
  readonly threadIndex: number;
}

/** A block, and the object that was made in it. */
export interface Made<M> {
  readonly block: Block;
  readonly object: CapabilityTo<M, KernelRight>;
}

/** Makes an object in a block of its own, so that its memory comes back. */
export function* make<M>(os: MemoryOwner, kind: Kind<M>, sizeBits = 0): Steps<Made<M>> {
  const { sys, slots } = os;
  const block = yield* OwnMemory.of(os).take(objectBits(kind.objectType, sizeBits));
  const slot = slots.tryTake(1);
  try {
    if (slot === 0) throw new IpcError(Err.NO_RESOURCE, "slots", `none of ${slots.count} is free`);
    yield* untyped.retype(sys, block.handle, kind.objectType, sizeBits, 1, slots.cnode, slot);
    const { handle } = yield* os.cspace.node.inspect(slot);
    return { block, object: hold(kind, os.cspace, handle) };
  } catch (error) {
    if (slot !== 0) slots.give(slot);
    yield* OwnMemory.of(os).give(block);
    throw error;
  }
}

/** Ends an object and all that came of it, and has its memory back. */
export function* unmake(
  os: MemoryOwner,
  { block, object }: { readonly block: Block; readonly object: Carried },
): Steps<void> {
  const own = yield* isHeld(os, object);
  yield* OwnMemory.of(os).give(block);
  if (own) os.slots.give(handleIndex(object.handle));
}

/** True while a slot of the thread's has the capability: one that was moved away, or dropped, has left it to others. */
export function* isHeld(os: MemoryOwner, held: Carried): Steps<boolean> {
  const { state, handle } = yield* os.cspace.node.inspect(handleIndex(held.handle));
  return state === SlotState.LIVE && handle === held.handle;
}

/** Objects of one type and size beside each other, in a block of their own. */
export interface MadeMany {
  readonly block: Block;
  readonly handles: readonly number[];
}

/**
 * Makes so many at once: they are more than half of their block, so that the kernel has it whole again before it makes the next
 * of the same kind there.
 */
export function* makeMany(os: MemoryOwner, type: ObjectType, count: number): Steps<MadeMany> {
  const { sys, slots } = os;
  const block = yield* OwnMemory.of(os).take(
    blockBitsFor(Array.from({ length: count }, () => ({ type, sizeBits: 0 }))),
  );
  const first = slots.tryTake(count);
  try {
    if (first === 0) throw new IpcError(Err.NO_RESOURCE, "slots", `no ${count} in a row are free`);
    yield* untyped.retype(sys, block.handle, type, 0, count, slots.cnode, first);
    const handles: number[] = [];
    for (let slot = first; slot < first + count; slot++)
      handles.push((yield* os.cspace.node.inspect(slot)).handle);
    return { block, handles };
  } catch (error) {
    if (first !== 0) slots.give(first, count);
    yield* OwnMemory.of(os).give(block);
    throw error;
  }
}

/** Ends them and all that came of them, and has their memory back. */
export function* unmakeMany(os: MemoryOwner, { block, handles }: MadeMany): Steps<void> {
  yield* OwnMemory.of(os).give(block);
  for (const handle of handles) os.slots.give(handleIndex(handle));
}
