/**
 * What is known of each object type: told here, once, for whoever makes objects, counts their bytes or prints them.
 * What only a kernel needs (where in the object things stand) is in the kernel's facts, which build on these.
 */
import {
  MAX_CNODE_BITS,
  MAX_FRAME_BITS,
  MAX_UNTYPED_BITS,
  MIN_CNODE_BITS,
  MIN_UNTYPED_BITS,
  PAGE_BITS,
} from "./limits.js";
import { ObjectType } from "./object-type.js";

/** A slot's size: 64 bytes. */
const SLOT_BITS = 6;

export interface ObjectFacts {
  /** For dumps and messages. */
  readonly name: string;
  /**
   * How retype makes it: log2 of its size in bytes is `unitBits` plus what the caller says, from `low` to `high`; where
   * these are 0 there is one size and the caller says nothing of it (whatever it says is ignored). Null: not made of untyped memory.
   */
  readonly size: { readonly unitBits: number; readonly low: number; readonly high: number } | null;
  /** Moved only: two of them would be two owners of the same memory, or two answers to one call. */
  readonly isUnique: boolean;
  /** Whether a capability's OBJECT is an address in physical memory. */
  readonly isObject: boolean;
}

function fact(name: string, more: Partial<Omit<ObjectFacts, "name">> = {}): ObjectFacts {
  return Object.freeze({ name, size: null, isUnique: false, isObject: true, ...more });
}

/** An object of one size. */
function fixed(name: string, bits: number): ObjectFacts {
  return fact(name, { size: { unitBits: bits, low: 0, high: 0 } });
}

const FACTS: Readonly<Record<ObjectType, ObjectFacts>> = Object.freeze({
  [ObjectType.NONE]: fact("none", { isObject: false }),
  [ObjectType.UNTYPED]: fact("untyped", {
    size: { unitBits: 0, low: MIN_UNTYPED_BITS, high: MAX_UNTYPED_BITS },
    isUnique: true,
  }),
  [ObjectType.CNODE]: fact("cnode", {
    size: { unitBits: SLOT_BITS, low: MIN_CNODE_BITS, high: MAX_CNODE_BITS },
  }),
  [ObjectType.FRAME]: fact("frame", { size: { unitBits: 0, low: PAGE_BITS, high: MAX_FRAME_BITS } }),
  // Moved only: one capability, one place in one address space.
  [ObjectType.PAGE_TABLE]: fact("page-table", {
    size: { unitBits: PAGE_BITS, low: 0, high: 0 },
    isUnique: true,
  }),
  [ObjectType.ADDRESS_SPACE]: fixed("address-space", 13),
  [ObjectType.ENDPOINT]: fixed("endpoint", 7),
  [ObjectType.NOTIFICATION]: fixed("notification", 7),
  [ObjectType.REPLY]: fact("reply", { isUnique: true }),
  [ObjectType.THREAD]: fixed("thread", 10),
  [ObjectType.PROCESS]: fixed("process", 10),
  [ObjectType.SCHED_CONTEXT]: fact("sched-context"),
  [ObjectType.IRQ_HANDLER]: fact("irq-handler"),
  [ObjectType.CHANNEL]: fact("channel"),
  [ObjectType.MONITOR]: fixed("monitor", 8),
  [ObjectType.SEALER]: fixed("sealer", 6),
  [ObjectType.SCHED_CONTROL]: fact("sched-control"),
  [ObjectType.IRQ_CONTROL]: fact("irq-control"),
  [ObjectType.DEBUG]: fact("debug", { isObject: false }),
  [ObjectType.IO_PORT]: fact("io-port", { isObject: false }),
  [ObjectType.IMAGE]: fact("image"),
  [ObjectType.IMAGE_CONTROL]: fact("image-control", { isObject: false }),
});

/** All object types, in the order of their numbers. */
export const OBJECT_TYPES: readonly ObjectType[] = Object.freeze(Object.keys(FACTS).map(Number));

/** What is known of a type; undefined for a number that is none. */
export function factsOf(type: number): ObjectFacts | undefined {
  return FACTS[type as ObjectType];
}

/** The name of an object type, for dumps and messages. */
export function typeName(type: number): string {
  return factsOf(type)?.name ?? `type ${type}`;
}

/**
 * log2 of the bytes of an object to be made; 0 if none of that type can be made, or none of that size.
 * @param sizeBits as `untyped.retype` has it: log2 of bytes (untyped) or of slots (CNode); of no meaning for others
 */
export function objectBits(type: number, sizeBits: number): number {
  const size = factsOf(type)?.size ?? null;
  if (size === null) return 0;
  if (size.high === 0) return size.unitBits;
  return sizeBits >= size.low && sizeBits <= size.high ? size.unitBits + sizeBits : 0;
}
