/**
 * Starting a process, once its objects are made: for whoever makes them, and whatever they give it.
 *
 * The process gets its CSpace, image and thread numbers, its first thread a core; then its CSpace is filled, and
 * the thread started. What was done before a step fails is not undone here: whoever made the objects ends them.
 */
import { Err, ObjectType, Right, type Sys } from "@capos/abi";
import { encodeEnvironment } from "./environment.js";
import { IpcError } from "./ipc-error.js";
import { cnode, monitor, process, thread, untyped } from "./kernel-calls.js";
import { type KernelRight, rightBits } from "./rights.js";
import type { Steps } from "./steps.js";

/** A capability to copy into a new process. */
export interface Gift {
  readonly handle: number;
  /** At most these rights, names or a set of `Right`; all that the giver has unless told. */
  readonly rights?: number | readonly KernelRight[];
  /** A badge to mint it with, 1 to 2^32 - 1. */
  readonly badge?: number;
  /** Of an image: handles of those that it imports, as `os.image` gives them. They come with it. */
  readonly assets?: readonly number[];
}

/** What a process is made of: handles in its starter's CSpace. */
export interface ProcessParts {
  readonly space: number;
  readonly process: number;
  readonly thread: number;
}

/** What a process is to be. */
export interface ProcessStart {
  /** Handle of an image; needs EXECUTE. */
  readonly image: number;
  /** At most 32 bytes. */
  readonly name: string;
  /** How many of the starter's thread numbers it gets. */
  readonly threads: number;
  /** Where it may run: the first of these cores that is online. */
  readonly cores: readonly number[];
  readonly priority: number;
  /** The highest priority that its threads may give; the starter's own ceiling unless told. */
  readonly ceiling?: number;
  /** A Monitor that is to watch it, and the notification that this signals. */
  readonly watch?: { readonly monitor: number; readonly notification: number };
  /** Fills its CSpace; gives the start words of its first thread, which will run on `core`. */
  fill(filling: Filling, core: number): Steps<readonly number[]>;
}

/** The CSpace of a process that is being started, filled from its first slot on. */
export class Filling {
  /** The next slot to be filled. Slot 0 stays empty: it can be no receive window. */
  next = 1;

  /** @param space handle of the CNode */
  constructor(
    readonly sys: Sys,
    private readonly space: number,
  ) {}

  /** Copies a capability of the starter's; gives its handle in the new CSpace. */
  *give({ handle, rights = Right.ALL, badge }: Gift): Steps<number> {
    const { sys, space } = this;
    const bits = rightBits(rights);
    if (badge === undefined) return yield* cnode.copy(sys, space, this.next++, handle, bits);
    return yield* cnode.mint(sys, space, this.next++, handle, bits, badge);
  }

  /** Makes 2^`bits` bytes of untyped memory from a block where it shall be: untyped memory is never copied. Gives its slot. */
  *makeMemory(block: number, bits: number): Steps<number> {
    yield* untyped.retype(this.sys, block, ObjectType.UNTYPED, bits, 1, this.space, this.next);
    return this.next++;
  }

  /** The handle of what a slot of the new CSpace holds. */
  *handleOf(slot: number): Steps<number> {
    return (yield* cnode.inspect(this.sys, this.space, slot)).handle;
  }
}

/**
 * Starts a process; gives the core that its first thread runs on. Throws `IpcError`: `NOT_FOUND` if none of the
 * cores is online, `NO_RESOURCE` without thread numbers, what the kernel says of a handle; and what `fill` throws.
 */
export function* startProcess(
  sys: Sys,
  parts: ProcessParts,
  { image, name, threads, cores, priority, ceiling, watch, fill }: ProcessStart,
): Steps<number> {
  yield* configure(sys, parts, image, name, threads);
  if (ceiling !== undefined) yield* process.ceiling(sys, parts.process, ceiling);
  const core = yield* placeThread(sys, parts, cores, priority);
  if (watch !== undefined) yield* monitor.watch(sys, watch.monitor, parts.process, watch.notification);
  const startWords = yield* fill(new Filling(sys, parts.space), core);
  yield* thread.start(sys, parts.thread, startWords);
  return core;
}

function* configure(
  sys: Sys,
  parts: ProcessParts,
  image: number,
  name: string,
  threads: number,
): Steps<void> {
  try {
    yield* process.configure(sys, parts.process, parts.space, image, name, threads);
  } catch (error) {
    if (!(error instanceof IpcError && error.code === Err.NO_RESOURCE)) throw error;
    // The kernel's answer says what there is.
    throw new IpcError(error.code, "thread numbers", `${threads} wanted, ${sys.words[0]} left`);
  }
}

/** Puts a thread on the first core that takes it: one that is off answers `NOT_FOUND`. */
function* placeThread(
  sys: Sys,
  parts: ProcessParts,
  cores: readonly number[],
  priority: number,
): Steps<number> {
  let refusal: Error = new RangeError("a process needs a core to run on");
  for (const core of cores) {
    try {
      yield* thread.configure(sys, parts.thread, parts.process, core, priority);
      return core;
    } catch (error) {
      if (!(error instanceof IpcError && error.code === Err.NOT_FOUND)) throw error;
      refusal = new IpcError(error.code, `core ${core}`);
    }
  }
  throw refusal;
}

/** What a process finds in its environment. A gift of handle 0 is none. */
export interface EnvironmentGifts {
  readonly image: number;
  readonly names?: Gift;
  readonly log?: Gift;
  readonly console?: Gift;
  readonly debug?: Gift;
  /** A block of the starter's, and log2 of the bytes of it that the process is given. */
  readonly memory?: { readonly handle: number; readonly bits: number };
  /** The images that its own imports, in the order in which that numbers them. */
  readonly assets: readonly Gift[];
  /** Their handles are what it finds in `handed`. */
  readonly handed: readonly Gift[];
  readonly name: string;
  /** Null: those that came with its image. */
  readonly args: readonly string[] | null;
  readonly cores: number;
  /** log2 of the slots of its CSpace. */
  readonly cnodeBits: number;
}

/** Fills a process's CSpace with what its environment names; gives the start words that say so. */
export function* fillEnvironment(
  filling: Filling,
  parts: ProcessParts,
  core: number,
  gifts: EnvironmentGifts,
): Steps<number[]> {
  const give = function* (gift: Gift | undefined): Steps<number> {
    return gift === undefined || gift.handle === 0 ? 0 : yield* filling.give(gift);
  };
  const handles = {
    cnode: yield* give({ handle: parts.space }),
    process: yield* give({ handle: parts.process }),
    thread: yield* give({ handle: parts.thread }),
    names: yield* give(gifts.names),
    log: yield* give(gifts.log),
    console: yield* give(gifts.console),
    debug: yield* give(gifts.debug),
    image: yield* give({ handle: gifts.image }),
    untyped: 0,
  };
  if (gifts.memory !== undefined) {
    const slot = yield* filling.makeMemory(gifts.memory.handle, gifts.memory.bits);
    handles.untyped = yield* filling.handleOf(slot);
  }
  const first = filling.next;
  for (const gift of gifts.assets) yield* filling.give(gift);
  const handed: number[] = gifts.handed.map(() => 0);
  // Images that bring others come first, in slots that say so: see `AssetSlots`.
  for (const [i, gift] of gifts.handed.entries()) {
    const { assets = [] } = gift;
    if (assets.length === 0) continue;
    handed[i] = yield* filling.give(gift);
    for (const handle of assets) yield* filling.give({ handle });
    filling.next++;
  }
  const count = gifts.assets.length;
  const assets = { first, count, brought: filling.next - first - count };
  for (const [i, gift] of gifts.handed.entries()) if (handed[i] === 0) handed[i] = yield* filling.give(gift);
  return encodeEnvironment({
    ...handles,
    firstFreeSlot: filling.next,
    freeSlotCount: 2 ** gifts.cnodeBits - filling.next,
    threadIndex: 0,
    core,
    cores: gifts.cores,
    assets,
    name: gifts.name,
    args: gifts.args,
    handed,
  });
}
