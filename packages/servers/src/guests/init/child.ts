/**
 * Starting and ending a process of init's: a CSpace of its own with what its plan lists and no more.
 *
 * All that can be checked beforehand is: a plan that cannot be carried out costs no memory, because
 * memory cannot be had back. What is then refused by the kernel all the same is undone except for that.
 */
import { Err, LifeState, ObjectType, Right } from "@capos/abi";
import {
  cnode,
  encodeEnvironment,
  type Gift,
  IpcError,
  monitor,
  type ProcessStatus,
  process,
  type Steps,
  thread,
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
  readonly names?: Gift;
  readonly log?: Gift;
  readonly console?: Gift;
  readonly debug?: Gift;
  /** What it finds in `handed`. */
  readonly handed: readonly Gift[];
  /** The notification that is signalled when it ends, badged. */
  readonly watcher: number;
}

/** A process that was started: handles of init's. */
export interface Child {
  /** The core it was placed on. */
  readonly core: number;
  readonly process: number;
  readonly thread: number;
  readonly cnode: number;
}

/** Stands for a handle where only the space it takes matters. */
const ANY_HANDLE = 1;

/**
 * Starts a process. Throws RangeError if its name and arguments do not fit, `IpcError` if there is not
 * enough memory (nothing was made then), no such image (`NOT_FOUND`), core or thread number.
 */
export function* startChild(init: Authority, plan: ChildPlan): Steps<Child> {
  const { sys, memory } = init;
  const space = { type: ObjectType.CNODE, sizeBits: plan.cnodeBits };
  const untyped = { type: ObjectType.UNTYPED, sizeBits: plan.memoryBits };
  const objects = [
    space,
    { type: ObjectType.PROCESS, sizeBits: 0 },
    { type: ObjectType.THREAD, sizeBits: 0 },
  ];
  const placeholders = plan.handed.map(() => ANY_HANDLE);
  encodeEnvironment(environmentOf(init, plan, 0, NO_HANDLES, placeholders, 0));
  memory.check(plan.memoryBits === 0 ? objects : [...objects, untyped]);

  const made: number[] = [];
  let configured = false;
  try {
    for (const { type, sizeBits } of objects) made.push(yield* init.make(type, sizeBits));
    const [node, child, first] = made as [number, number, number];
    yield* configure(init, child, node, plan);
    configured = true;
    yield* process.ceiling(sys, child, plan.ceiling);
    const core = yield* placeThread(init, first, child, plan);
    const watch = yield* init.make(ObjectType.MONITOR);
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
    if (plan.memoryBits !== 0) {
      // Made where it shall be: untyped memory is never copied.
      yield* memory.retype(sys, untyped, node, slot);
      handles.untyped = (yield* cnode.inspect(sys, node, slot++)).handle;
    }
    const handed: number[] = [];
    for (const gift of plan.handed) handed.push(yield* place(gift));
    yield* thread.start(
      sys,
      first,
      encodeEnvironment(environmentOf(init, plan, core, handles, handed, slot)),
    );
    return { core, process: child, thread: first, cnode: node };
  } catch (error) {
    if (configured) yield* process.kill(sys, made[1]!);
    while (made.length > 0) yield* init.drop(made.pop()!);
    throw error;
  }
}

/** Services need few threads; a program gets many, or few where many programs run. */
function* configure(init: Authority, child: number, node: number, plan: ChildPlan): Steps<void> {
  for (const threads of plan.memoryBits === 0 ? [4] : [200, 8]) {
    try {
      yield* process.configure(init.sys, child, node, plan.image, plan.name, threads);
      return;
    } catch (error) {
      if (error instanceof IpcError && error.code === Err.NO_RESOURCE && threads > 8) continue;
      throw error instanceof IpcError ? new IpcError(error.code, `image ${plan.image}`) : error;
    }
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
 * If the process has ended, ends what is left of it and gives up what init holds of it. Gives how it
 * ended, or null if it still runs.
 */
export function* buryIfEnded(init: Authority, child: Child): Steps<ProcessStatus | null> {
  const status = yield* process.status(init.sys, child.process);
  if (status.state <= LifeState.RUNNING) return null;
  // A process ends with its first thread; the others end here.
  yield* process.kill(init.sys, child.process);
  for (const handle of [child.thread, child.process, child.cnode]) yield* init.drop(handle);
  return status;
}
