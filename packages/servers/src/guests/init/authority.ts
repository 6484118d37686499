/**
 * What init has: all authority there is, and how to make objects from it.
 *
 * Init invokes kernel objects and nothing else. It calls no process, ever, so that no process can make
 * it wait; what others want of it they ask through the registry.
 */
import {
  handleIndex,
  InitSlot,
  InitWord,
  makeHandle,
  type ObjectType,
  type Right,
  type Sys,
} from "@capos/abi";
import { cnode, debug, IpcError, imageControl, Slots, type Steps, untyped } from "@capos/libos";
import { Memory } from "./memory.js";

/** log2 of the slots of init's CSpace is fixed by the kernel; these are the ones that start out empty. */
const FREE_SLOTS = 4096 - InitSlot.FIRST_FREE;
/** log2 of the bytes for what init makes for itself and keeps: endpoints and notifications, 128 bytes each. */
const OWN_BITS = 12;

export interface Authority {
  readonly sys: Sys;
  readonly cnode: number;
  readonly thread: number;
  readonly debug: number;
  readonly slots: Slots;
  readonly memory: Memory;
  readonly cores: number;
  /** The core that init runs on. */
  readonly ownCore: number;
  /** Handles of a serial device and of its interrupt. */
  port(device: number): number;
  interrupt(device: number): number;
  /** Makes an object for good, in a slot of init's own. Throws `IpcError`: `NO_MEMORY`, `NO_RESOURCE`. */
  make(type: ObjectType): Steps<number>;
  /** Makes an object from a block of memory, in a slot of init's own. It ends with its block. */
  makeFrom(block: number, type: ObjectType, sizeBits: number): Steps<number>;
  /** A badged copy of one of init's own capabilities, in a slot of its own. */
  mint(handle: number, rights: Right, badge: number): Steps<number>;
  /** A capability to the image that the host knows by this number, in a slot of its own. Throws `IpcError`: `NOT_FOUND`. */
  image(number: number): Steps<number>;
  /** Deletes a capability in a slot of init's own. */
  drop(handle: number): Steps<void>;
  /** Gives back the slot of a capability that has ended with the block it was made from. */
  forget(handle: number): void;
}

/** Reads what the kernel started init with. To be called before the first trap. */
export function* takeAuthority(sys: Sys): Steps<Authority> {
  const generation = sys.words[InitWord.GENERATION];
  const untypedCount = sys.words[InitWord.UNTYPED_COUNT];
  const at = (slot: number): number => makeHandle(slot, generation);
  const own = at(InitSlot.CNODE);
  const slots = new Slots(own, InitSlot.FIRST_FREE, FREE_SLOTS);
  const blocks = Array.from({ length: untypedCount }, (_, i) => at(InitSlot.UNTYPED + i));
  const { cores, core } = yield* debug.machine(sys, at(InitSlot.DEBUG));
  const memory = yield* Memory.of(sys, slots, blocks);
  const [ownBlock] = yield* memory.take([OWN_BITS]);

  /** Fills a free slot by `fill`, or leaves it free. */
  function* inFreeSlot(fill: (slot: number) => Steps<void>): Steps<number> {
    const slot = slots.take();
    try {
      yield* fill(slot);
    } catch (error) {
      slots.give(slot);
      throw error;
    }
    return (yield* cnode.inspect(sys, own, slot)).handle;
  }

  function* image(number: number): Steps<number> {
    try {
      return yield* inFreeSlot(function* (slot) {
        yield* imageControl.take(sys, at(InitSlot.IMAGE_CONTROL), number, own, slot);
      });
    } catch (error) {
      throw error instanceof IpcError ? new IpcError(error.code, `image ${number}`) : error;
    }
  }

  function makeFrom(block: number, type: ObjectType, sizeBits: number): Steps<number> {
    return inFreeSlot((slot) => untyped.retype(sys, block, type, sizeBits, 1, own, slot));
  }

  return {
    sys,
    cnode: own,
    thread: at(InitSlot.THREAD),
    debug: at(InitSlot.DEBUG),
    slots,
    memory,
    cores,
    ownCore: core,
    port: (device) => at(InitSlot.IO_PORT + device),
    interrupt: (device) => at(InitSlot.IRQ_HANDLER + device),
    make: (type) => makeFrom(ownBlock!.handle, type, 0),
    makeFrom,
    mint: (handle, rights, badge) =>
      inFreeSlot(function* (slot) {
        yield* cnode.mint(sys, own, slot, handle, rights, badge);
      }),
    image,
    drop: (handle) => slots.drop(sys, handle),
    forget: (handle) => slots.give(handleIndex(handle)),
  };
}
