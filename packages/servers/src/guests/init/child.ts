/**
 * Starting and ending a process of init's: a CSpace of its own with what its plan lists and no more.
 *
 * All that can be checked beforehand is: a plan that cannot be carried out costs nothing. What is then
 * refused by the kernel all the same is undone. Of a process that is buried nothing is left: what was made
 * from its memory is gone, wherever it was, and the memory is init's again.
 */
import { LifeState, ObjectType } from "@capos/abi";
import {
  type Block,
  blockBitsFor,
  encodeEnvironment,
  fillEnvironment,
  type Gift,
  type ProcessStatus,
  process,
  type Steps,
  startProcess,
  type Want,
} from "@capos/libos";
import type { Authority } from "./authority.js";

/** What to start, and what to give it. Gifts are copied from init's own capabilities. */
export interface ChildPlan {
  readonly name: string;
  /** Handle of its image. */
  readonly image: number;
  /** Where it may run: the first of these cores that is online. */
  readonly cores: readonly number[];
  readonly priority: number;
  /** The highest priority that it may give to its threads. */
  readonly ceiling: number;
  readonly cnodeBits: number;
  /** Null: those that came with its image. */
  readonly args: readonly string[] | null;
  /** log2 of the bytes of untyped memory to give it; 0 is none. */
  readonly memoryBits: number;
  /** How many threads it may have at one time, with those of processes it starts. */
  readonly threads: number;
  readonly names?: Gift;
  readonly log?: Gift;
  readonly console?: Gift;
  readonly debug?: Gift;
  /** The images that its own imports. */
  readonly assets: readonly Gift[];
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
  readonly space: number;
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
 * enough memory, no such core or thread number. Nothing is left of what was made then.
 */
export function* startChild(init: Authority, plan: ChildPlan): Steps<Child> {
  const { sys, memory } = init;
  const objects: readonly Want[] = [
    { type: ObjectType.CNODE, sizeBits: plan.cnodeBits },
    { type: ObjectType.THREAD, sizeBits: 0 },
    { type: ObjectType.PROCESS, sizeBits: 0 },
    { type: ObjectType.MONITOR, sizeBits: 0 },
  ];
  encodeEnvironment({
    ...NOTHING,
    name: plan.name,
    args: plan.args,
    handed: plan.handed.map(() => ANY_HANDLE),
  });

  // The memory it is given is a block of its own: beside the objects it would be aligned to its size.
  const sizes = [blockBitsFor(objects), ...(plan.memoryBits === 0 ? [] : [plan.memoryBits])];
  const blocks = yield* memory.take(sizes);
  const made: number[] = [];
  try {
    for (const { type, sizeBits } of objects)
      made.push(yield* init.makeFrom(blocks[0].handle, type, sizeBits));
    const [space, thread, process, watch] = made as [number, number, number, number];
    const parts = { space, thread, process };
    const core = yield* startProcess(sys, parts, {
      ...plan,
      watch: { monitor: watch, notification: plan.watcher },
      fill: (filling, core) =>
        fillEnvironment(filling, parts, core, {
          ...plan,
          ...(blocks[1] !== undefined && { memory: blocks[1] }),
          cores: init.cores,
        }),
    });
    return { core, process, space, parts: { blocks, handles: made } };
  } catch (error) {
    yield* giveBack(init, { blocks, handles: made });
    throw error;
  }
}

/** An environment in which nothing is given. */
const NOTHING = Object.freeze({
  ...{ cnode: 0, process: 0, thread: 0, names: 0, log: 0, console: 0, debug: 0, untyped: 0, image: 0 },
  ...{ firstFreeSlot: 0, freeSlotCount: 0, threadIndex: 0, core: 0, cores: 0 },
  assets: { first: 0, count: 0, brought: 0 },
});

/** How a process ended, and where the callers stood of what faulted in it: line and column of each. */
export interface Burial extends ProcessStatus {
  readonly callers: readonly number[];
}

/**
 * If the process has ended, ends what is left of it and takes its memory back. Gives how it ended, or
 * null if it still runs.
 */
export function* buryIfEnded(init: Authority, child: Child): Steps<Burial | null> {
  const status = yield* process.status(init.sys, child.process);
  if (status.state <= LifeState.RUNNING) return null;
  const callers = integersOf((yield* process.callers(init.sys, child.process)) ?? []);
  // A process ends with its first thread; the others, and what it held, end here at the latest.
  yield* process.kill(init.sys, child.process);
  yield* giveBack(init, child.parts);
  return { ...status, callers };
}

function integersOf(bytes: readonly number[]): number[] {
  const integers: number[] = [];
  for (let i = 0; i < bytes.length; i += 4)
    integers.push(bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
  return integers;
}

/** Ends whatever was made from the memory of a process, and makes the memory init's again. */
function* giveBack(init: Authority, { blocks, handles }: Parts): Steps<void> {
  for (const block of blocks) yield* init.memory.give(block);
  for (const handle of handles) init.forget(handle);
}
