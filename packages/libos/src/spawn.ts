/**
 * Starting threads and processes from one's own untyped memory.
 *
 * Threads of a process share its CSpace, so a new thread is lent a range of its spawner's empty slots
 * and handles can be handed over as plain numbers. A new process has a CSpace of its own, and each
 * capability that it shall have is copied there. A spawn that fails leaves nothing behind.
 */
import { ObjectType, Right } from "@capos/abi";
import { encodeEnvironment } from "./environment.js";
import { cnode, process, thread, untyped } from "./invoke.js";
import type { Os } from "./start.js";
import type { Steps } from "./steps.js";

const DEFAULT_THREAD_SLOTS = 16;
const DEFAULT_CNODE_BITS = 8;

/** Where and how to start. */
export interface Placement {
  /** The core to run on; the spawner's own unless told. A started TypeScript guest stays on its core. */
  readonly core?: number;
  /** 0 to 255; the spawner's own unless told. */
  readonly priority?: number;
  readonly args?: readonly string[];
}

export interface ThreadOptions extends Placement {
  /** Numbers to hand over; handles stay valid, threads of a process share its CSpace. */
  readonly handed?: readonly number[];
  /** How many of the spawner's empty slots to lend, 16 unless told. */
  readonly slots?: number;
  /** Its index; counted up from the spawner's own unless told. Give it where several threads spawn. */
  readonly index?: number;
}

/** A thread that `spawnThread` started, as its spawner knows it. */
export interface SpawnedThread {
  /** The Thread object. */
  readonly handle: number;
  readonly index: number;
  /** The slots it was lent. */
  readonly firstSlot: number;
  readonly slotCount: number;
}

/**
 * Starts another thread of this process. It runs the same image from the top, with module state of its
 * own, and finds `threadIndex` above 0. Throws `IpcError`: `BAD_CAP` without untyped memory,
 * `NO_MEMORY`, `NO_RESOURCE` (no free slots, no thread numbers), `RANGE` (no such core).
 */
export function* spawnThread(os: Os, options: ThreadOptions = {}): Steps<SpawnedThread> {
  const { sys, environment, slots } = os;
  const slotCount = options.slots ?? DEFAULT_THREAD_SLOTS;
  const index = options.index ?? os.nextThreadIndex;
  const core = options.core ?? os.core;
  const priority = options.priority ?? (yield* thread.status(sys, environment.thread)).priority;
  const firstSlot = slots.take(slotCount);
  let handle = 0;
  let configured = false;
  try {
    handle = yield* os.make(ObjectType.THREAD);
    const startWords = encodeEnvironment({
      ...environment,
      thread: handle,
      firstFreeSlot: firstSlot,
      freeSlotCount: slotCount,
      threadIndex: index,
      core,
      args: options.args ?? [],
      handed: options.handed ?? [],
    });
    yield* thread.configure(sys, handle, environment.process, core, priority);
    configured = true;
    yield* thread.start(sys, handle, startWords);
  } catch (error) {
    // From its configuration on it counts as one of the process's threads.
    if (configured) yield* thread.destroy(sys, handle);
    if (handle !== 0) yield* os.drop(handle);
    slots.give(firstSlot, slotCount);
    throw error;
  }
  os.nextThreadIndex = Math.max(os.nextThreadIndex, index + 1);
  return { handle, index, firstSlot, slotCount };
}

/** Ends a thread, whatever it does, deletes what it held in the slots it was lent, and takes them back. */
export function* endThread(os: Os, spawned: SpawnedThread): Steps<void> {
  const { sys, environment, slots } = os;
  yield* thread.destroy(sys, spawned.handle);
  yield* os.drop(spawned.handle);
  for (let slot = spawned.firstSlot; slot < spawned.firstSlot + spawned.slotCount; slot++) {
    yield* cnode.delete(sys, environment.cnode, slot);
  }
  slots.give(spawned.firstSlot, spawned.slotCount);
}

/** A capability to copy into a new process. */
export interface Gift {
  readonly handle: number;
  /** At most these rights; all that the giver has unless told. */
  readonly rights?: number;
  /** A badge to mint it with, 1 to 2^32 - 1. */
  readonly badge?: number;
}

export interface ProcessOptions extends Placement {
  /** The number of its image among those the machine was started with. */
  readonly image: number;
  /** At most 32 bytes. */
  readonly name: string;
  /** Capabilities to give it; their handles in its CSpace are what it finds in `handed`. */
  readonly gifts?: readonly Gift[];
  /** log2 of the bytes of untyped memory to give it, out of the spawner's; none unless told. */
  readonly memoryBits?: number;
  /** log2 of the slots in its CSpace, 8 unless told. */
  readonly cnodeBits?: number;
  /** Whether it shares the spawner's Debug capability; not unless told. */
  readonly debug?: boolean;
}

/** A process that `spawnProcess` started: handles in its spawner's CSpace. */
export interface SpawnedProcess {
  readonly process: number;
  readonly thread: number;
  readonly cnode: number;
}

/**
 * Starts another process: with copies of the spawner's names, log and console endpoints (their badge
 * too: to those servers the two are one), and with what the options give. Throws `IpcError` as
 * `spawnThread` does, and `NOT_FOUND` if there is no such image.
 */
export function* spawnProcess(os: Os, options: ProcessOptions): Steps<SpawnedProcess> {
  const { sys, environment } = os;
  const core = options.core ?? os.core;
  const priority = options.priority ?? (yield* thread.status(sys, environment.thread)).priority;
  const cnodeBits = options.cnodeBits ?? DEFAULT_CNODE_BITS;
  const made: number[] = [];
  let configured = 0;
  try {
    const space = yield* os.make(ObjectType.CNODE, cnodeBits);
    made.push(space);
    const child = yield* os.make(ObjectType.PROCESS);
    made.push(child);
    const first = yield* os.make(ObjectType.THREAD);
    made.push(first);

    // Slot 0 stays empty: it can be no receive window.
    let slot = 1;
    const place = function* (handle: number, rights: number = Right.ALL, badge?: number): Steps<number> {
      if (handle === 0) return 0;
      const at = slot++;
      if (badge === undefined) return yield* cnode.copy(sys, space, at, handle, rights);
      return yield* cnode.mint(sys, space, at, handle, rights, badge);
    };
    const handles = {
      cnode: yield* place(space),
      process: yield* place(child),
      thread: yield* place(first),
      names: yield* place(environment.names),
      log: yield* place(environment.log),
      console: yield* place(environment.console),
      debug: options.debug === true ? yield* place(environment.debug) : 0,
    };
    let memory = 0;
    if (options.memoryBits !== undefined) {
      // Made where it shall be: untyped memory is never copied.
      yield* untyped.retype(sys, environment.untyped, ObjectType.UNTYPED, options.memoryBits, 1, space, slot);
      memory = (yield* cnode.inspect(sys, space, slot)).handle;
      slot++;
    }
    const handed: number[] = [];
    for (const { handle, rights, badge } of options.gifts ?? [])
      handed.push(yield* place(handle, rights, badge));

    const startWords = encodeEnvironment({
      ...handles,
      untyped: memory,
      firstFreeSlot: slot,
      freeSlotCount: 2 ** cnodeBits - slot,
      threadIndex: 0,
      core,
      cores: os.cores,
      name: options.name,
      args: options.args ?? [],
      handed,
    });
    yield* process.configure(sys, child, space, options.image, options.name, 16);
    configured = child;
    yield* thread.configure(sys, first, child, core, priority);
    yield* thread.start(sys, first, startWords);
    return { process: child, thread: first, cnode: space };
  } catch (error) {
    if (configured !== 0) yield* process.kill(sys, configured);
    while (made.length > 0) yield* os.drop(made.pop()!);
    throw error;
  }
}
