/**
 * Slots: filling, deriving, moving and killing.
 *
 * A slot's first word is stored last when it is filled and first when it is killed, so whoever finds it
 * LIVE finds the rest. From LIVE to the next tenant every way leads through a grace period (STAMP) and a
 * new generation.
 */
import { ObjectType, Right, Slot, SlotBits, SlotFlag, SlotState } from "@capos/abi";
import type { WordIndex } from "@capos/hal";
import { graceIsOver, nextGrace } from "../smp/grace-period.js";
import type { Locked } from "../smp/tree-lock.js";
import { assert } from "../state/assert.js";
import { CHECKED } from "../state/build.js";
import type { Core } from "../state/core.js";
import { CNode, Monitor, ObjectHeader, Process, Reap, Thread } from "../state/layout.js";
import { BINDING_KIND, Binding, hasQueue, headerOf, isMapped, kernelFacts, runs } from "../state/objects.js";
import type {
  CoreId,
  HeaderRef,
  MonitorRef,
  NodeRef,
  ObjectRef,
  ProcessRef,
  QueueRef,
  SlotRef,
  SpaceRef,
} from "../state/references.js";
import { leaveWheel, moveInWheel } from "./expiry-wheel.js";
import { clearMapping, countUnmapping, loseIdentifier, setUnmapped } from "./mapping.js";
import { detachMonitor } from "./monitor-list.js";
import { enterNoSenders, leaveNoSenders, moveNoSenders } from "./no-senders-list.js";
import { assignReap } from "./reap-list.js";
import { flagSweep } from "./sweep-list.js";
import { linkBeside, linkFirst, takePlace, unlink } from "./tree.js";

/** Flags that a copy has from its source. */
const INHERITED = SlotFlag.SEALED | SlotFlag.BADGED | SlotFlag.EXPIRES;
const OWN_FLAGS = SlotBits.FLAGS_MASK & ~INHERITED;

/** Word 0 of a live slot. */
export function slotWord(type: ObjectType, rights: number, flags: number, sizeBits: number): number {
  return (
    SlotState.LIVE |
    (type << SlotBits.TYPE_SHIFT) |
    (rights << SlotBits.RIGHTS_SHIFT) |
    flags |
    (sizeBits << SlotBits.SIZE_SHIFT)
  );
}

/** The type in a slot's first word. */
export function typeOf(word: number): ObjectType {
  return (word & SlotBits.TYPE_MASK) >> SlotBits.TYPE_SHIFT;
}

/** Slots of the CNode that a capability with this first word names. */
export function slotsOf(word: number): number {
  return 2 ** ((word >>> SlotBits.SIZE_SHIFT) & 63);
}

/**
 * The header at which a slot counts, or 0. A capability to a CNode that lies in that CNode does not: it
 * could keep nothing but itself. Nor does a monitor's to what it watches: it is to see its end.
 */
function countedAt(i32: Int32Array, slot: SlotRef, word: number): HeaderRef | 0 {
  const type = typeOf(word);
  const object = i32[slot + Slot.OBJECT];
  if (type === ObjectType.CNODE && slot > object && slot < object + slotsOf(word) * Slot.WORDS) return 0;
  if ((word & SlotFlag.BINDING) !== 0 && i32[slot + BINDING_KIND] === Binding.MONITOR_TARGET) return 0;
  return headerOf(type, object);
}

/** Publishes a capability in an empty slot, as the first child of `parent`. */
export function fillSlot(
  k: Locked,
  slot: SlotRef,
  word: number,
  object: WordIndex,
  badge: number,
  parent: NodeRef,
): void {
  const { i32 } = k;
  if (CHECKED) assert((i32[slot] & SlotBits.STATE_MASK) === SlotState.EMPTY, "slot empty");
  i32[slot + Slot.OBJECT] = object;
  i32[slot + Slot.BADGE] = badge;
  i32[slot + Slot.WATERMARK] = 0;
  i32[slot + Slot.STAMP] = 0;
  i32[slot + Slot.LINK] = 0;
  i32[slot + Slot.FIRST_CHILD] = 0;
  // Of a binding the second word says what it is.
  if ((word & SlotFlag.BINDING) === 0) setUnmapped(k, slot);
  linkFirst(k, parent, slot);
  const header = countedAt(i32, slot, word);
  if (header !== 0) i32[header + ObjectHeader.REFERENCES]++;
  // Last: whoever sees LIVE sees the rest.
  Atomics.store(i32, slot, word);
}

/** Writes a copy of a live slot with at most `rights` into an empty one, as its child. A badge other than 0 is minted. */
export function deriveSlot(
  k: Locked,
  source: SlotRef,
  destination: SlotRef,
  rights: number,
  badge: number,
  flags = 0,
): void {
  const { i32 } = k;
  const word = i32[source];
  const kept = word & ((rights << SlotBits.RIGHTS_SHIFT) | ~SlotBits.RIGHTS_MASK) & ~OWN_FLAGS;
  const minted = badge !== 0 ? SlotFlag.BADGED | SlotFlag.MINTED : 0;
  inherit(k, source, destination, word);
  fillSlot(
    k,
    destination,
    kept | minted | flags,
    i32[source + Slot.OBJECT],
    badge !== 0 ? badge : i32[source + Slot.BADGE],
    source,
  );
  // Whoever maps it waits as who maps the source.
  if (isMapped(typeOf(word))) i32[destination + Slot.STAMP] = i32[source + Slot.STAMP];
}

/** What of a capability's words a derived one has too, by its flags. */
function inherit(k: Locked, source: SlotRef, destination: SlotRef, word: number): void {
  if ((word & (SlotFlag.SEALED | SlotFlag.EXPIRES)) === 0) return;
  k.i32[destination + Slot.SEALER] = k.i32[source + Slot.SEALER];
  k.f64[(destination + Slot.EXPIRY) >> 1] = k.f64[(source + Slot.EXPIRY) >> 1];
}

/** Derives a capability to a part of a frame: `object` of 2^`sizeBits` bytes. */
export function derivePart(
  k: Locked,
  source: SlotRef,
  destination: SlotRef,
  object: WordIndex,
  sizeBits: number,
): void {
  const word = k.i32[source];
  const kept = word & ~OWN_FLAGS & ((1 << SlotBits.SIZE_SHIFT) - 1);
  inherit(k, source, destination, word);
  fillSlot(
    k,
    destination,
    kept | (sizeBits << SlotBits.SIZE_SHIFT),
    object,
    k.i32[source + Slot.BADGE],
    source,
  );
  k.i32[destination + Slot.STAMP] = k.i32[source + Slot.STAMP];
}

/** Derives a binding: all that its source has, for as long as that lasts. */
export function bindSlot(k: Locked, source: SlotRef, binding: SlotRef, kind: Binding): void {
  k.i32[binding + BINDING_KIND] = kind;
  deriveSlot(k, source, binding, Right.ALL, 0, SlotFlag.BINDING);
}

/** Ends the bindings of an object. */
export function loseBindings(k: Locked, type: ObjectType, object: ObjectRef): void {
  const { bindings } = kernelFacts(type);
  for (let i = 0; i < bindings.length; i++) {
    const binding = (object + bindings[i]) as SlotRef;
    if ((k.i32[binding] & SlotBits.STATE_MASK) === SlotState.LIVE) killSlot(k, binding);
  }
}

/** Word 0 of a dead slot. Type and rights stay, for a core that found it live and reads them a moment later. */
export function deadWord(word: number): number {
  return (word & ~(SlotBits.STATE_MASK | SlotBits.FLAGS_MASK)) | SlotState.DEAD;
}

/**
 * Kills a slot: its children stand in its place. It stays DEAD until a grace period that starts from now on
 * is over, because a core that looked it up before may still be reading its words. `unlockTree` sees to
 * that grace period.
 */
export function killSlot(k: Locked, slot: SlotRef): void {
  const { i32 } = k;
  const word = i32[slot];
  if (CHECKED) assert((word & SlotBits.STATE_MASK) === SlotState.LIVE, "slot alive");
  Atomics.store(i32, slot, deadWord(word));
  const object = i32[slot + Slot.OBJECT];
  const type = typeOf(word);
  // Before the stamp: the home that is to sweep must have a bit in its attention word when the first grace
  // period that counts is asked for, else one that is halted would pass without having swept.
  if (hasQueue(type)) flagSweep(k, object as QueueRef);
  if ((word & OWN_FLAGS) !== 0) leaveLists(k, slot, word);
  if (isMapped(type) && i32[slot + Slot.MAPPED_SPACE] !== 0) clearMapping(k, slot, word);
  i32[slot + Slot.STAMP] = nextGrace(k);
  k.killed = true;
  const header = countedAt(i32, slot, word);
  if (header !== 0 && --i32[header + ObjectHeader.REFERENCES] === 0) beginFinalising(k, slot, header, type);
  childless(k, unlink(k, slot));
}

/** What a slot with a flag of its own is part of. */
function leaveLists(k: Locked, slot: SlotRef, word: number): void {
  if ((word & SlotFlag.NO_SENDERS) !== 0) leaveNoSenders(k, slot);
  if ((word & SlotFlag.TIMED) !== 0) leaveWheel(k, slot);
  if ((word & SlotFlag.BINDING) !== 0) loseBinding(k, slot, k.i32[slot + BINDING_KIND]);
}

/**
 * What a binding's end means to its owner. A notification's is found by the sweep, or when it would be signalled; a
 * process lets go of its image itself, when none of its threads is left.
 */
function loseBinding(k: Locked, slot: SlotRef, kind: Binding): void {
  if (kind === Binding.PROCESS_CSPACE) loseCSpace(k, (slot - Process.BINDING) as ProcessRef);
  // Cores have found it live, and go on in that address space until they look again.
  else if (kind === Binding.PROCESS_SPACE) countUnmapping(k);
  else if (kind === Binding.MONITOR_TARGET) loseTarget(k, (slot - Monitor.TARGET) as MonitorRef);
}

/** A monitor whose target's capability is taken back watches nothing any more. Its holder is told, lest he waits for ever. */
function loseTarget(k: Locked, monitor: MonitorRef): void {
  detachMonitor(k, monitor);
  if (k.i32[monitor + Monitor.ENDED] === 0)
    assignReap(k, (monitor + Monitor.HEADER) as HeaderRef, Reap.TELL, k.id);
}

/** A process without a CSpace: no handle of its threads names anything any more. */
function loseCSpace(k: Locked, process: ProcessRef): void {
  const { i32 } = k;
  Atomics.store(i32, process + Process.CSPACE_SLOTS, 0);
  i32[i32[process + Process.BINDING + Slot.OBJECT] + CNode.HEADER + CNode.PROCESSES]--;
}

/** The last capability to an object is going: the header stands in the tree until nothing of the object is left. */
function beginFinalising(k: Locked, slot: SlotRef, header: HeaderRef, type: ObjectType): void {
  const { i32 } = k;
  linkBeside(k, header, slot);
  i32[header + ObjectHeader.OBJECT] = i32[slot + Slot.OBJECT];
  i32[header + ObjectHeader.LAST_SLOT] = 0;
  i32[header + Slot.STAMP] = nextGrace(k);
  Atomics.store(i32, header, (i32[header] & ~SlotBits.STATE_MASK) | SlotState.DEAD);
  if (type === ObjectType.ADDRESS_SPACE) loseIdentifier(k, i32[slot + Slot.OBJECT] as SpaceRef);
  // Whoever deletes the last capability to something that runs waits until it has stopped.
  if (runs(type)) {
    i32[header + ObjectHeader.LAST_SLOT] = slot;
    i32[slot + Slot.MAPPED_SPACE] = header;
    Atomics.store(i32, slot, i32[slot] | SlotFlag.FINALISING);
  }
  assignReap(k, header, Reap.FINALISE, reaperOf(k, type, i32[slot + Slot.OBJECT] as ObjectRef));
}

/** Who reaps an object: a thread ends on its home core; anything else may be finalised where it died. */
export function reaperOf(k: Core, type: ObjectType, object: ObjectRef): CoreId {
  return type === ObjectType.THREAD ? (k.i32[object + Thread.HOME] as CoreId) : k.id;
}

/** A node has lost its last child: untyped memory may be used again some time, a minted badge is nobody's any more. */
function childless(k: Locked, parent: NodeRef | 0): void {
  if (parent === 0) return;
  const word = k.i32[parent];
  if (typeOf(word) === ObjectType.UNTYPED) {
    k.i32[parent + Slot.STAMP] = nextGrace(k);
    k.i32[parent + Slot.LINK] = 0;
    k.killed = true;
  } else if ((word & (SlotFlag.MINTED | SlotFlag.NO_SENDERS)) === SlotFlag.MINTED)
    enterNoSenders(k, parent as SlotRef);
}

/** Nothing of a finalised object is left: its header leaves the tree, and its untyped has one child less. */
export function endFinalising(k: Locked, header: HeaderRef): void {
  const { i32 } = k;
  const slot = i32[header + ObjectHeader.LAST_SLOT];
  if (slot !== 0) Atomics.store(i32, slot, deadWord(i32[slot]));
  childless(k, unlink(k, header));
}

/** A slot that held the last capability to an object ends itself before the object does. */
export function detachFinalising(k: Locked, slot: SlotRef): void {
  k.i32[k.i32[slot + Slot.MAPPED_SPACE] + ObjectHeader.LAST_SLOT] = 0;
}

/** Moves a live capability into an empty slot, with at most `rights`. What was derived from it stays derived from it. */
export function moveSlot(k: Locked, source: SlotRef, destination: SlotRef, rights: number): void {
  const { i32 } = k;
  const word = i32[source];
  if (CHECKED) assert((word & SlotBits.STATE_MASK) === SlotState.LIVE, "source alive");
  const kept = word & ((rights << SlotBits.RIGHTS_SHIFT) | ~SlotBits.RIGHTS_MASK);
  const before = countedAt(i32, source, word);
  for (let i = Slot.OBJECT; i < Slot.PARENT; i++) i32[destination + i] = i32[source + i];
  for (let i = Slot.WATERMARK; i < Slot.WORDS; i++) i32[destination + i] = i32[source + i];
  if ((word & SlotFlag.NO_SENDERS) !== 0) moveNoSenders(k, source, destination);
  if ((word & SlotFlag.TIMED) !== 0) moveInWheel(k, source, destination);
  takePlace(k, source, destination);
  const after = countedAt(i32, destination, kept);
  if (after !== 0 && before === 0) i32[after + ObjectHeader.REFERENCES]++;
  Atomics.store(i32, destination, kept);
  Atomics.store(i32, source, deadWord(word));
  const type = typeOf(word);
  // A mapping goes along.
  if (isMapped(type)) setUnmapped(k, source);
  if (hasQueue(type)) flagSweep(k, i32[source + Slot.OBJECT] as QueueRef);
  i32[source + Slot.STAMP] = nextGrace(k);
  k.killed = true;
  // Moved into itself, a CNode's last capability that counts is gone.
  if (after === 0 && before !== 0 && --i32[before + ObjectHeader.REFERENCES] === 0)
    beginFinalising(k, destination, before, type);
}

/**
 * True if a slot can be filled. A DEAD one whose grace period is over becomes EMPTY here, one
 * generation on, so that every handle to its former tenant is stale. A slot at its last generation
 * stays DEAD for good.
 */
export function reclaimSlot(k: Locked, slot: SlotRef): boolean {
  const { i32 } = k;
  // Plainly, under the lock: LIVE, which publishes the rest, is stored with Atomics.
  const word = i32[slot];
  if ((word & SlotBits.STATE_MASK) === SlotState.EMPTY) return true;
  if (
    (word & (SlotBits.STATE_MASK | SlotFlag.FINALISING)) !== SlotState.DEAD ||
    !graceIsOver(k, i32[slot + Slot.STAMP])
  )
    return false;
  if (i32[slot + Slot.GENERATION] === LAST_GENERATION) return false;
  i32[slot + Slot.GENERATION] = (i32[slot + Slot.GENERATION] + 1) | 0;
  i32[slot] = SlotState.EMPTY;
  return true;
}

/** True if a slot will become empty when its grace period is over (or what it held is finalised). */
export function isDying(k: Core, slot: SlotRef): boolean {
  return (
    (Atomics.load(k.i32, slot) & SlotBits.STATE_MASK) === SlotState.DEAD &&
    k.i32[slot + Slot.GENERATION] !== LAST_GENERATION
  );
}

const LAST_GENERATION = -1;
