/**
 * Images: what processes run. An image object stands for a boot module that the host loaded; whoever holds a
 * capability to it may make processes that run it.
 *
 * The objects lie in the kernel's tables, one for each place in the store of boot modules, and come and go. One has
 * capabilities from the moment that it is taken from the store until its last is gone and no process runs it; as
 * long the kernel holds the module (see hal/src/memory/modules.ts). A process holds its image by a capability of its own, a child of
 * the kernel's root: revoking the one that it was configured with ends no process.
 *
 * An object is taken only while it is at rest: it is in no reaper's list, and what it was before is over.
 */
import { Err, makeHandle, ObjectType, Right, Slot, SlotBits, SlotFlag, SlotState } from "@capos/abi";
import type { Context } from "@capos/engine";
import { findModule, holdModule, moduleKind, moduleNumber, releaseModule } from "@capos/hal";
import { isLive, isOpenCNode } from "../capability/lookup.js";
import { fillSlot, isDying, reclaimSlot, slotWord } from "../capability/slot.js";
import { nextGrace, waitForGrace } from "../smp/grace-period.js";
import { type Locked, lockTree, unlockTree } from "../smp/tree-lock.js";
import type { Answer } from "../state/answer.js";
import { beginCommit, endCommit } from "../state/commit.js";
import type { Core } from "../state/core.js";
import { Image, ObjectHeader, Process, Tables } from "../state/layout.js";
import { BINDING_KIND, Binding } from "../state/objects.js";
import type { ImageRef, NodeRef, ProcessRef, SlotRef, ThreadRef } from "../state/references.js";
import { answer, finish } from "./arguments.js";
import { writeHeader } from "./retype.js";

/** The object for a place in the store of boot modules. */
export function imageAt(k: Core, module: number): ImageRef {
  return (k.i32[k.tables + Tables.IMAGES] + module * Image.SIZE) as ImageRef;
}

/** The number of an image that is in use, as the host knows it. */
export function imageNumber(k: Core, image: ImageRef): number {
  return moduleNumber(k.memory, k.i32[image + Image.MODULE]);
}

/** Has a process run an image that has a capability, or was just taken, and keep it until it has ended. */
export function bindImage(k: Locked, process: ProcessRef, image: ImageRef): void {
  const binding = (process + Process.IMAGE_BINDING) as SlotRef;
  k.i32[binding + BINDING_KIND] = Binding.PROCESS_IMAGE;
  const word = slotWord(ObjectType.IMAGE, Right.EXECUTE, SlotFlag.BINDING, 0);
  fillSlot(k, binding, word, image, 0, (k.tables + Tables.ROOT) as NodeRef);
  k.i32[process + Process.IMAGE] = image;
}

/** Nothing of an image is left: another can be loaded into its place. */
export function dropImage(k: Locked, image: ImageRef): void {
  writeHeader(k, ObjectType.IMAGE, image, 0);
  releaseModule(k.memory, k.i32[image + Image.MODULE]);
}

/** Puts a capability to the image that the host knows by a number into a slot, derived from the one to the store. */
export function imageControlTake(k: Core, thread: ThreadRef, context: Context, self: SlotRef): Answer {
  const { i32 } = k;
  const { number, into, slot: index } = k.operands;
  const slot = (i32[into + Slot.OBJECT] + index * Slot.WORDS) as SlotRef;
  const module = findModule(k.memory, number);
  if (module < 0) return finish(context, Err.NOT_FOUND);
  const image = imageAt(k, module);
  let status: Err = Err.OK;
  /** The grace period to wait for, 0 is none. */
  let awaited = 0;
  const held = lockTree(k);
  // Looked up without the lock.
  if (!isLive(k, self) || !isOpenCNode(held, into)) status = Err.BAD_CAP;
  else if (!reclaimSlot(held, slot)) {
    status = Err.SLOT_OCCUPIED;
    if (isDying(k, slot)) awaited = i32[slot + Slot.STAMP];
  } else if (!isAtRest(held, image)) awaited = nextGrace(k);
  else {
    beginCommit(k);
    status = hold(held, image, module, number);
    if (status === Err.OK) fillSlot(held, slot, slotWord(ObjectType.IMAGE, Right.ALL, 0, 0), image, 0, self);
    endCommit(k);
  }
  unlockTree(held);
  if (awaited !== 0) return waitForGrace(k, thread, awaited);
  if (status !== Err.OK) return finish(context, status);
  return answer(context, makeHandle(index, i32[slot + Slot.GENERATION]));
}

/** False while an image is finalised, and until its reaper has put it aside. */
function isAtRest(k: Locked, image: ImageRef): boolean {
  const header = image + Image.HEADER;
  return (
    (k.i32[header] & SlotBits.STATE_MASK) !== SlotState.DEAD && k.i32[header + ObjectHeader.REAP_CORE] === 0
  );
}

/** Holds the module of an image that is about to have its first capability, so that it does not go away. */
function hold(k: Locked, image: ImageRef, module: number, number: number): Err {
  if (!holdModule(k.memory, module, number)) return Err.NOT_FOUND;
  if (k.i32[image + Image.HEADER + ObjectHeader.REFERENCES] !== 0 || isKnown(k, module)) return Err.OK;
  releaseModule(k.memory, module);
  return Err.UNSUPPORTED;
}

/** True if cores can run images of this kind. The host loads no others. */
function isKnown(k: Core, module: number): boolean {
  return k.engine!.kinds[moduleKind(k.memory, module)] !== undefined;
}
