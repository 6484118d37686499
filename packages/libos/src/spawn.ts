/**
 * Starting threads and processes from one's own untyped memory, and having the memory back at their end.
 *
 * Threads of a process share its CSpace, so a new thread is lent a range of its spawner's empty slots
 * and handles can be handed over as plain numbers. A new process has a CSpace of its own, and each
 * capability that it shall have is copied there. What is spawned is made from blocks of memory of its own,
 * which are used again when it was ended; of a spawn that fails nothing is left but such blocks.
 */
import { handleIndex, type Main, ObjectType } from "@capos/abi";
import { assetName, imageOf, type ProgramImage } from "./assets.js";
import type { Block } from "./block-pool.js";
import { encodeEnvironment } from "./environment.js";
import { IpcError } from "./ipc-error.js";
import { cnode, monitor, type ProcessStatus, process, thread, untyped } from "./kernel-calls.js";
import { blockBitsFor, type Want } from "./object-size.js";
import { OwnMemory } from "./own-memory.js";
import type { Os } from "./start.js";
import { fillEnvironment, type Gift, startProcess } from "./start-process.js";
import type { Steps } from "./steps.js";

const DEFAULT_THREAD_SLOTS = 16;
const DEFAULT_CNODE_BITS = 8;
const DEFAULT_THREADS = 8;

const THREAD: Want = { type: ObjectType.THREAD, sizeBits: 0 };
const MONITOR: Want = { type: ObjectType.MONITOR, sizeBits: 0 };
const NOTIFICATION: Want = { type: ObjectType.NOTIFICATION, sizeBits: 0 };

/** Where and how to start. */
export interface Placement {
  /** The core to run on; the spawner's own unless told. A started TypeScript guest stays on its core. */
  readonly core?: number;
  /** 0 to 255; the spawner's own unless told. */
  readonly priority?: number;
  readonly args?: readonly string[];
}

/** What a new thread is to be. */
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
  /** What it was made from. */
  readonly memory: Block;
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
  const made = new Made(os);
  try {
    const memory = yield* made.block(blockBitsFor([THREAD]));
    const handle = yield* made.object(memory, THREAD);
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
    yield* thread.start(sys, handle, startWords);
    os.nextThreadIndex = Math.max(os.nextThreadIndex, index + 1);
    return { handle, index, firstSlot, slotCount, memory };
  } catch (error) {
    yield* made.undo();
    slots.give(firstSlot, slotCount);
    throw error;
  }
}

/** Ends a thread, whatever it does, deletes what it held in the slots it was lent, and takes all of it back. */
export function* endThread(os: Os, spawned: SpawnedThread): Steps<void> {
  const { sys, environment, slots } = os;
  yield* thread.destroy(sys, spawned.handle);
  yield* giveBack(os, [spawned.memory], [spawned.handle]);
  for (let slot = spawned.firstSlot; slot < spawned.firstSlot + spawned.slotCount; slot++) {
    yield* cnode.delete(sys, environment.cnode, slot);
  }
  slots.give(spawned.firstSlot, spawned.slotCount);
}

/** What a new process is to be, and what it is given. */
export interface ProcessOptions extends Omit<Placement, "args"> {
  /** None unless told; null: those that came with its image. */
  readonly args?: readonly string[] | null;
  /**
   * What it is to run: an image that was imported, what `os.image` gives, or the handle of one (needs EXECUTE); the spawner's
   * own (`environment.image`) unless told. By a handle, other than one's own or one that was handed over, it has none of the
   * images that it imports.
   */
  readonly image?: Main | ProgramImage | number;
  /** At most 32 bytes; an imported image's is its file's, others have the spawner's own, unless told. */
  readonly name?: string;
  /** Capabilities to give it; their handles in its CSpace are what it finds in `handed`. */
  readonly gifts?: readonly Gift[];
  /** log2 of the bytes of untyped memory to give it, out of the spawner's; none unless told. */
  readonly memoryBits?: number;
  /** log2 of the slots in its CSpace, 8 unless told. */
  readonly cnodeBits?: number;
  /** How many threads it may have at one time, with those of processes it starts; 8 of the spawner's own number unless told. */
  readonly threads?: number;
  /** Whether it shares the spawner's Debug capability; not unless told. */
  readonly debug?: boolean;
  /** What it is given of names, log and console; copies of the spawner's own unless told, none for a handle of 0. */
  readonly names?: Gift;
  readonly log?: Gift;
  readonly console?: Gift;
  /** A notification (needs SEND) that is signalled when it has ended. */
  readonly watcher?: number;
}

/** A process that `spawnProcess` started: handles in its spawner's CSpace. */
export interface SpawnedProcess {
  readonly process: number;
  readonly thread: number;
  readonly cnode: number;
  /** The Monitor that watches it; 0 if nothing does. */
  readonly monitor: number;
  /** What it was made from: a block for its objects, and one for the memory it was given, if it was given some. */
  readonly memory: readonly Block[];
}

/**
 * Starts another process: with copies of the spawner's names, log and console endpoints (their badge
 * too: to those servers the two are one), of its image, and with what the options give. Throws `IpcError` as
 * `spawnThread` does, and what the kernel says of an image that cannot be run: `BAD_CAP`, `BAD_TYPE`, `DENIED`.
 */
export function* spawnProcess(os: Os, options: ProcessOptions): Steps<SpawnedProcess> {
  const { sys, environment } = os;
  const priority = options.priority ?? (yield* thread.status(sys, environment.thread)).priority;
  const cnodeBits = options.cnodeBits ?? DEFAULT_CNODE_BITS;
  const wants: Record<"space" | "thread" | "process", Want> = {
    space: { type: ObjectType.CNODE, sizeBits: cnodeBits },
    thread: THREAD,
    process: { type: ObjectType.PROCESS, sizeBits: 0 },
  };
  const watch: Want[] = options.watcher === undefined ? [] : [MONITOR];
  const image = yield* runnable(os, options.image ?? environment.image);
  const name = options.name ?? assetName(options.image) ?? os.name;
  const made = new Made(os);
  try {
    // The memory it is given lies in a block of its own: beside its objects it would be aligned to its size.
    const given = options.memoryBits === undefined ? undefined : yield* made.block(options.memoryBits);
    const home = yield* made.block(blockBitsFor([...Object.values(wants), ...watch]));
    const parts = {
      space: yield* made.object(home, wants.space),
      thread: yield* made.object(home, wants.thread),
      process: yield* made.object(home, wants.process),
    };
    let monitor = 0;
    for (const want of watch) monitor = yield* made.object(home, want);
    yield* startProcess(sys, parts, {
      image: image.handle,
      name,
      threads: options.threads ?? DEFAULT_THREADS,
      cores: [options.core ?? os.core],
      priority,
      ...(monitor !== 0 && { watch: { monitor, notification: options.watcher! } }),
      fill: (filling, core) =>
        fillEnvironment(filling, parts, core, {
          image: image.handle,
          assets: image.assets.map((handle) => ({ handle })),
          names: options.names ?? { handle: environment.names },
          log: options.log ?? { handle: environment.log },
          console: options.console ?? { handle: environment.console },
          debug: { handle: options.debug === true ? environment.debug : 0 },
          ...(given !== undefined && { memory: given }),
          handed: options.gifts ?? [],
          name,
          args: options.args === undefined ? [] : options.args,
          cores: os.cores,
          cnodeBits,
        }),
    });
    return {
      process: parts.process,
      thread: parts.thread,
      cnode: parts.space,
      monitor,
      memory: made.blocks,
    };
  } catch (error) {
    yield* made.undo();
    throw error;
  }
}

/**
 * Blocks until a process has ended, and gives how: `state` is `EXITED`, `FAULTED` or `KILLED`. What it was made from stays
 * in use until `endProcess`. Throws `IpcError` as `spawnThread` does.
 */
export function* waitForProcess(
  os: Os,
  { process: handle }: Pick<SpawnedProcess, "process">,
): Steps<ProcessStatus> {
  const { sys } = os;
  const made = new Made(os);
  try {
    const memory = yield* made.block(blockBitsFor([MONITOR, NOTIFICATION]));
    const watch = yield* made.object(memory, MONITOR);
    const ended = yield* made.object(memory, NOTIFICATION);
    yield* monitor.watch(sys, watch, handle, ended);
    const answer = yield sys.wait(ended);
    if (answer < 0) throw new IpcError(answer, "wait for process");
    return yield* process.status(sys, handle);
  } finally {
    yield* made.undo();
  }
}

/**
 * Ends a process, whatever it does, and takes back what it was made from: its objects and whatever it made
 * from its memory, wherever that is. What it passed on of what it was given stays.
 */
export function* endProcess(os: Os, spawned: SpawnedProcess): Steps<void> {
  yield* process.kill(os.sys, spawned.process);
  const { thread, process: self, cnode, monitor } = spawned;
  yield* giveBack(os, spawned.memory, [thread, self, cnode, ...(monitor === 0 ? [] : [monitor])]);
}

/** Ends what was made from blocks and keeps these for the next spawn; the handles name objects made from them. */
function* giveBack(os: Os, blocks: readonly Block[], handles: readonly number[]): Steps<void> {
  for (const block of blocks) yield* memoryOf(os).give(block);
  // Dead by now.
  for (const handle of handles) os.slots.give(handleIndex(handle));
}

function memoryOf(os: Os): OwnMemory {
  os.memory ??= new OwnMemory(os);
  return os.memory;
}

function* runnable({ sys, environment }: Os, image: ProcessOptions["image"]): Steps<ProgramImage> {
  return typeof image === "object" && "handle" in image
    ? image
    : yield* imageOf(sys, environment, image as Main | number);
}

/** What a spawn has made so far, to be undone if it fails. */
class Made {
  readonly blocks: Block[] = [];
  readonly #handles: number[] = [];

  constructor(private readonly os: Os) {}

  *block(bits: number): Steps<Block> {
    const block = yield* memoryOf(this.os).take(bits);
    this.blocks.push(block);
    return block;
  }

  /** An object from a block; its handle. */
  *object(from: Block, { type, sizeBits }: Want): Steps<number> {
    const { sys, slots } = this.os;
    const slot = slots.take();
    try {
      yield* untyped.retype(sys, from.handle, type, sizeBits, 1, slots.cnode, slot);
    } catch (error) {
      slots.give(slot);
      throw error;
    }
    const { handle } = yield* cnode.inspect(sys, slots.cnode, slot);
    this.#handles.push(handle);
    return handle;
  }

  /** A process or thread that is revoked with its memory ends, however far it has come. */
  *undo(): Steps<void> {
    yield* giveBack(this.os, this.blocks, this.#handles);
  }
}
