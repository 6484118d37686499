/**
 * A small machine for the tests of capability slots: untyped memory of which everything is made, in slots of
 * init's CNode, as new each time.
 */
import { Err, InitSlot, type ObjectType, Right, Slot, ObjectType as Type } from "@capos/abi";
import { addModule, BootInfo, holdModule } from "@capos/hal";
import {
  type Core,
  fillSlot,
  imageAt,
  type Locked,
  lockTree,
  type NodeRef,
  type ObjectRef,
  passGrace,
  type SlotRef,
  slotWord,
  type ThreadRef,
  unlockTree,
} from "@capos/kernel/internal";
import { KernelArea, KernelInfo, Process, Tables, Thread } from "@capos/kernel/layout";
import { type Kernel, makeKernel, retypeOnce } from "./kernel.js";
import { calm } from "./tree.js";

export interface Bench extends Kernel {
  readonly i32: Int32Array;
  /** A thread of init, which the tests' traps are of. */
  readonly thread: ThreadRef;
  /** A slot of init's CNode. */
  slotAt(index: number): SlotRef;
  /** The slot that holds all memory that tests make objects of. */
  readonly untyped: SlotRef;
  /** The slot of a capability to the one image. */
  readonly image: SlotRef;
  /** Empties slots 90 to 2400 and makes the untyped memory new: 2^bits bytes, zeroed. */
  renew(bits: number): void;
  /** Makes objects from a slot's memory, into init's slots from `first` on; answers the slots. */
  make(type: ObjectType, sizeBits: number, count: number, first: number, from?: SlotRef): SlotRef[];
  /** The object that a slot holds a capability to. */
  objectIn<Ref extends ObjectRef>(slot: number): Ref;
  /** Something done with the tree lock held. */
  locked<Result>(core: Core, body: (held: Locked) => Result): Result;
  /** Every core passes every grace period that was asked for, and those that this leads to. */
  pass(): void;
}

const FIRST = 90;
const IMAGE = 80;
const END = 2400;

export function makeBench(cores: number): Bench {
  const kernel = makeKernel(cores);
  const { i32 } = kernel.memory;
  const words = new Int32Array(kernel.wasm.buffer);
  const k = kernel.cores[0];
  const { thread, process } = kernel.resources;
  i32[thread + Thread.PROCESS] = process;
  i32[thread + Thread.PRIORITY] = 1;
  const slotAt = (index: number): SlotRef => (kernel.cspace + index * Slot.WORDS) as SlotRef;
  const untyped = slotAt(FIRST + 1);
  const locked = <Result>(core: Core, body: (held: Locked) => Result): Result => {
    const held = lockTree(core);
    try {
      return body(held);
    } finally {
      unlockTree(held);
    }
  };
  const root = (k.tables + Tables.ROOT) as NodeRef;
  addModule(kernel.memory, "image", "");
  holdModule(kernel.memory, 0, 0);
  locked(k, (held) =>
    fillSlot(held, slotAt(IMAGE), slotWord(Type.IMAGE, Right.ALL, 0, 0), imageAt(k, 0), 0, root),
  );
  // Processes hold the image by children of the root: forgotten with the memory they are made of.
  const lasting = [
    [root, root + Slot.WORDS],
    [imageAt(k, 0), imageAt(k, 1)],
    [slotAt(0), slotAt(FIRST)],
  ].map(([from, to]) => ({ from: from!, words: words.slice(from, to) }));
  return {
    ...kernel,
    i32,
    thread,
    slotAt,
    untyped,
    image: slotAt(IMAGE),
    locked,
    objectIn: <Ref extends ObjectRef>(slot: number) => i32[slot + Slot.OBJECT] as Ref,
    renew(bits) {
      for (const { from, words: kept } of lasting) words.set(kept, from);
      words.fill(0, slotAt(FIRST), slotAt(END));
      for (let index = FIRST; index < END; index++) i32[slotAt(index) + Slot.GENERATION] = 5;
      words.fill(0, kernel.free, kernel.free + 2 ** (bits - 2));
      for (const core of kernel.cores) {
        words.fill(0, core.kernelArea, core.kernelArea + KernelArea.SIZE);
        core.topReady = -1;
        core.current = 0;
        core.context = null;
      }
      words.fill(0, k.tables + Tables.EXPIRY_WHEEL, k.tables + Tables.EXPIRY_WHEEL + 256);
      i32[k.tables + Tables.EXPIRING] = 0;
      k.f64[(k.tables + Tables.ALARM_NS) >> 1] = Number.POSITIVE_INFINITY;
      k.f64[BootInfo.ALARM_NS >> 1] = Number.POSITIVE_INFINITY;
      calm(kernel.cores);
      locked(k, (held) =>
        fillSlot(held, untyped, slotWord(Type.UNTYPED, Right.ALL, 0, bits), kernel.free, 0, slotAt(FIRST)),
      );
      i32[process + Process.CSPACE] = kernel.cspace;
    },
    make(type, sizeBits, count, first, from = untyped) {
      const cnodeSlot = slotAt(InitSlot.CNODE);
      const { status } = retypeOnce(k, thread, { untyped: from, type, sizeBits, count, cnodeSlot, first });
      if (status !== Err.OK) throw new Error(`retype answers ${status}`);
      return Array.from({ length: count }, (_, i) => slotAt(first + i));
    },
    pass() {
      for (let asked = 0, again = true; again; ) {
        asked = i32[KernelInfo.GRACE_REQUESTED];
        for (const core of kernel.cores) passGrace(core, asked);
        again = i32[KernelInfo.GRACE_REQUESTED] !== asked;
      }
    },
  };
}
