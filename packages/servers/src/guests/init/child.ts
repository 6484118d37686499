/**
 * Starting and ending a process of init's: a CSpace of its own with what its plan lists and no more.
 *
 * All that can be checked beforehand is: a plan that cannot be carried out costs nothing. What is then
 * refused by the kernel all the same is undone. Of a process that is buried nothing is left: what was made
 * from its memory is gone, wherever it was, and the memory is init's again.
 */
import { Err, LifeState, ObjectType, Right } from "@capos/abi";
import {
  type Block,
  blockBitsFor,
  cnode,
  encodeEnvironment,
  type Gift,
  IpcError,
  monitor,
  type ProcessStatus,
  process,
  type Steps,
  thread,
  untyped,
  type Want,
} from "@capos/libos";
import type { Authority } from "./authority.js";

/** What to start, and what to give it. Gifts are copied from init's own capabilities. */
export interface ChildPlan {
  readonly name: string;
  readonly image: number;
  /** Where it may run: the first of these cores that is online. */
  readonly cores: readonly number[];
  readonly priority: number;
  /** The highest priority that it may give to its threads. */
  readonly ceiling: number;
  readonly cnodeBits: number;
  readonly args: readonly string[];
  /** log2 of the bytes of untyped memory to give it; 0 is none. */
  readonly memoryBits: number;
  /** How many threads it may have at one time, with those of processes it starts. */
  readonly threads: number;
  readonly names?: Gift;
  readonly log?: Gift;
  readonly console?: Gift;
  readonly debug?: Gift;
  /** What it finds in `handed`. */
  readonly handed: readonly Gift[];
  /** The notification that is signalled when it ends, badged. */
  readonly watcher: number;
}

/** A process that was started. */
export interface Child {
  /** The core it was placed on. */
  readonly core: number;
  readonly process: number;
  readonly parts: Parts;
}

/** What init holds of a process: blocks of memory, and handles of what was made from them. */
interface Parts {
  readonly blocks: readonly Block[];
  readonly handles: readonly number[];
}

/** Stands for a handle where only the space it takes matters. */
const ANY_HANDLE = 1;

/**
 * Starts a process. Throws RangeError if its name and arguments do not fit, `IpcError` if there is not
 * enough memory, no such image (`NOT_FOUND`), core or thread number. Nothing is left of what was made then.
 */
export function* startChild(init: Authority, plan: ChildPlan): Steps<Child> {
  const { sys, memory } = init;
  const objects: readonly Want[] = [
    { type: ObjectType.CNODE, sizeBits: plan.cnodeBits },
    { type: ObjectType.THREAD, sizeBits: 0 },
    { type: ObjectType.PROCESS, sizeBits: 0 },
    { type: ObjectType.MONITOR, sizeBits: 0 },
  ];
  const placeholders = plan.handed.map(() => ANY_HANDLE);
  encodeEnvironment(environmentOf(init, plan, 0, NO_HANDLES, placeholders, 0));

  // The memory it is given is a block of its own: beside the objects it would be aligned to its size.
  const sizes = [blockBitsFor(objects), ...(plan.memoryBits === 0 ? [] : [plan.memoryBits])];
  const blocks = yield* memory.take(sizes);
  const made: number[] = [];
  try {
    for (const { type, sizeBits } of objects)
      made.push(yield* init.makeFrom(blocks[0]!.handle, type, sizeBits));
    const [node, first, child, watch] = made as [number, number, number, number];
    yield* configureProcess(init, child, node, plan);
    yield* process.ceiling(sys, child, plan.ceiling);
    const core = yield* placeThread(init, first, child, plan);
    yield* monitor.watch(sys, watch, child, plan.watcher);

    // Slot 0 stays empty: it can be no receive window.
    let slot = 1;
    const place = function* (gift: Gift | undefined): Steps<number> {
      if (gift === undefined) return 0;
      const { handle, rights = Right.ALL, badge } = gift;
      if (badge === undefined) return yield* cnode.copy(sys, node, slot++, handle, rights);
      return yield* cnode.mint(sys, node, slot++, handle, rights, badge);
    };
    const handles = {
      cnode: yield* place({ handle: node }),
      process: yield* place({ handle: child }),
      thread: yield* place({ handle: first }),
      names: yield* place(plan.names),
      log: yield* place(plan.log),
      console: yield* place(plan.console),
      debug: yield* place(plan.debug),
      untyped: 0,
    };
    const given = blocks[1];
    if (given !== undefined) {
      // Made where it shall be: untyped memory is never copied.
      yield* untyped.retype(sys, given.handle, ObjectType.UNTYPED, given.bits, 1, node, slot);
      handles.untyped = (yield* cnode.inspect(sys, node, slot++)).handle;
    }
    const handed: number[] = [];
    for (const gift of plan.handed) handed.push(yield* place(gift));
    yield* thread.start(
      sys,
      first,
      encodeEnvironment(environmentOf(init, plan, core, handles, handed, slot)),
    );
    return { core, process: child, parts: { blocks, handles: made } };
  } catch (error) {
    yield* giveBack(init, { blocks, handles: made });
    throw error;
  }
}

function* configureProcess(init: Authority, child: number, node: number, plan: ChildPlan): Steps<void> {
  const { sys } = init;
  try {
    yield* process.configure(sys, child, node, plan.image, plan.name, plan.threads);
  } catch (error) {
    if (!(error instanceof IpcError)) throw error;
    if (error.code !== Err.NO_RESOURCE) throw new IpcError(error.code, `image ${plan.image}`);
    // The kernel's answer says what there is.
    throw new IpcError(error.code, "thread numbers", `${plan.threads} wanted, ${sys.words[0]} left`);
  }
}

/** Puts a thread on the first core that takes it: one that is off answers `NOT_FOUND`. */
function* placeThread(init: Authority, first: number, child: number, plan: ChildPlan): Steps<number> {
  for (const [i, core] of plan.cores.entries()) {
    try {
      yield* about(`core ${core}`, thread.configure(init.sys, first, child, core, plan.priority));
      return core;
    } catch (error) {
      const isOff = error instanceof IpcError && error.code === Err.NOT_FOUND;
      if (!isOff || i + 1 === plan.cores.length) throw error;
    }
  }
  throw new RangeError("a process needs a core to run on");
}

/** Says in an error what the request named, instead of what was tried with it. */
function* about(what: string, steps: Steps<void>): Steps<void> {
  try {
    yield* steps;
  } catch (error) {
    throw error instanceof IpcError ? new IpcError(error.code, what) : error;
  }
}

const NO_HANDLES = { cnode: 0, process: 0, thread: 0, names: 0, log: 0, console: 0, debug: 0, untyped: 0 };

function environmentOf(
  init: Authority,
  plan: ChildPlan,
  core: number,
  handles: typeof NO_HANDLES,
  handed: readonly number[],
  firstFreeSlot: number,
) {
  return {
    ...handles,
    firstFreeSlot,
    freeSlotCount: 2 ** plan.cnodeBits - firstFreeSlot,
    threadIndex: 0,
    core,
    cores: init.cores,
    name: plan.name,
    args: plan.args,
    handed,
  };
}

/**
 * If the process has ended, ends what is left of it and takes its memory back. Gives how it ended, or
 * null if it still runs.
 */
export function* buryIfEnded(init: Authority, child: Child): Steps<ProcessStatus | null> {
  const status = yield* process.status(init.sys, child.process);
  if (status.state <= LifeState.RUNNING) return null;
  // A process ends with its first thread; the others, and what it held, end here at the latest.
  yield* process.kill(init.sys, child.process);
  yield* giveBack(init, child.parts);
  return status;
}

/** Ends whatever was made from the memory of a process, and makes the memory init's again. */
function* giveBack(init: Authority, { blocks, handles }: Parts): Steps<void> {
  for (const block of blocks) yield* init.memory.give(block);
  for (const handle of handles) init.forget(handle);
}
