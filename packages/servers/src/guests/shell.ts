/**
 * The shell: a guest that does what somebody at a terminal asks, with the capabilities that it was given.
 *
 * It has a door, which it hands to the host at its start, the names server, and, unless it may only look, untyped memory
 * from which it starts programs and capabilities to those that run already. What it has started is made from
 * its memory, so it ends with the shell, and so does everything made for it.
 */
import { Err, LifeState, ObjectType, Right, SlotState, type Sys } from "@capos/abi";
import {
  cnode,
  DEFERRED,
  type Deferred,
  endProcess,
  IpcError,
  monitor,
  Names,
  type Os,
  process,
  type RequestContext,
  type SavedReply,
  type SpawnedProcess,
  type Steps,
  spawnProcess,
  start,
  thread,
  untyped,
} from "@capos/libos";
import { READ_ONLY_BITS, Shell, ShellHost } from "./shell/protocol.js";

/** What a program gets besides: log2 of the slots of its CSpace, and thread numbers. */
const CNODE_BITS = 10;
const THREADS = 32;
/** The badge of the notification's end that monitors signal. */
const ENDED = 1;
/** Programs whose ends are remembered for whoever asks later. */
const MAX_REMEMBERED = 64;

/** How a program ended, as the protocol tells it. */
interface End {
  readonly state: number;
  readonly status: number;
  readonly line: number;
  readonly column: number;
  readonly fault: string;
  readonly callers: readonly number[];
}

interface Program {
  readonly pid: number;
  readonly process: number;
  readonly monitor: number;
  /** Null for one that somebody else has started. */
  readonly spawned: SpawnedProcess | null;
  /** Those who wait for its end. */
  readonly waiting: SavedReply<End>[];
}

export default function* main(sys: Sys): Generator<number, number, number> {
  const os = start(sys);
  const { sizeBytes } = yield* untyped.info(sys, os.environment.untyped);
  const shell = new ShellGuest(os, sizeBytes > 2 ** READ_ONLY_BITS);
  const names = Names.client(sys, os.environment.names, os.slots);
  const door = yield* os.endpoint();
  const host = ShellHost.client(sys, os.handed[0]!, os.slots);
  yield* host.ready({ door: { capability: door, rights: Right.SEND } });
  yield* Shell.serve(
    sys,
    door,
    {
      name: ({ index }) => names.list({ index }),
      *lookup({ name }) {
        return { endpoint: { capability: yield* os.names.lookup(name), move: true } };
      },
      slot: () => ({ slot: shell.takeSlot() }),
      *discard({ slot }) {
        yield* shell.discard(slot);
        return {};
      },
      *start(request) {
        return { pid: yield* shell.start(request) };
      },
      *adopt({ slot }) {
        return { pid: yield* shell.adopt(slot) };
      },
      *end({ pid }) {
        yield* shell.end(pid);
        return {};
      },
      ended: ({ pid }, context) => shell.ended(pid, context),
    },
    { slots: os.slots, onNotification: () => shell.attend() },
  );
  return 0;
}

class ShellGuest {
  readonly #programs = new Map<number, Program>();
  readonly #ends = new Map<number, End>();
  /** Slots that were named, for something to be put there. */
  readonly #kept = new Set<number>();
  /** Monitors that watch nobody. */
  readonly #monitors: number[] = [];
  /** The notification's end that monitors signal; 0 before the first is needed. */
  #signal = 0;

  constructor(
    private readonly os: Os,
    private readonly mayStart: boolean,
  ) {}

  takeSlot(): number {
    if (!this.mayStart) throw new IpcError(Err.DENIED, "slot");
    const slot = this.os.slots.take();
    this.#kept.add(slot);
    return slot;
  }

  *discard(slot: number): Steps<void> {
    if (!this.#kept.delete(slot)) throw new IpcError(Err.RANGE, "discard");
    yield* cnode.delete(this.os.sys, this.os.environment.cnode, slot);
    this.os.slots.give(slot);
  }

  /** The handle of what a slot holds that was named. */
  *#takeFrom(slot: number): Steps<number> {
    if (!this.#kept.has(slot)) throw new IpcError(Err.RANGE, "slot");
    const { state, handle } = yield* cnode.inspect(this.os.sys, this.os.environment.cnode, slot);
    if (state !== SlotState.LIVE) {
      yield* this.discard(slot);
      throw new IpcError(Err.NOT_FOUND, "slot");
    }
    this.#kept.delete(slot);
    return handle;
  }

  *start(request: {
    readonly slot: number;
    readonly assets: readonly number[];
    readonly name: string;
    readonly core: number;
    readonly priority: number;
    readonly memoryBits: number;
    readonly console: number;
  }): Steps<number> {
    const { os } = this;
    const { slot, name, core, priority, memoryBits, console } = request;
    const images: number[] = [];
    try {
      for (const one of [slot, ...request.assets]) images.push(yield* this.#takeFrom(one));
      const [handle, ...assets] = images as [number, ...number[]];
      const spawned = yield* spawnProcess(os, {
        ...{ image: { handle, assets }, name, core, priority, memoryBits, console: { handle: console } },
        ...{ cnodeBits: CNODE_BITS, threads: THREADS, args: null },
      });
      try {
        return yield* this.#watch(spawned.process, spawned);
      } catch (error) {
        yield* endProcess(os, spawned);
        throw error;
      }
    } finally {
      for (const image of images) yield* os.drop(image);
      yield* os.drop(console);
    }
  }

  *adopt(slot: number): Steps<number> {
    const process = yield* this.#takeFrom(slot);
    try {
      return yield* this.#watch(process, null);
    } catch (error) {
      yield* this.os.drop(process);
      throw error;
    }
  }

  /** From now on a process is one of the shell's programs. Gives its number. */
  *#watch(handle: number, spawned: SpawnedProcess | null): Steps<number> {
    const { os } = this;
    if (this.#signal === 0) {
      const notification = yield* os.notification();
      yield* thread.bind(os.sys, os.environment.thread, notification);
      this.#signal = yield* os.copy(notification, Right.SEND, ENDED);
    }
    const pid = yield* process.number(os.sys, handle);
    const watch = this.#monitors.pop() ?? (yield* os.make(ObjectType.MONITOR));
    try {
      yield* monitor.watch(os.sys, watch, handle, this.#signal);
    } catch (error) {
      this.#monitors.push(watch);
      throw error;
    }
    this.#programs.set(pid, { pid, process: handle, monitor: watch, spawned, waiting: [] });
    return pid;
  }

  *end(pid: number): Steps<void> {
    const program = this.#programs.get(pid);
    if (program === undefined) {
      if (this.#ends.has(pid)) return;
      throw new IpcError(Err.NOT_FOUND, "end");
    }
    try {
      yield* process.kill(this.os.sys, program.process);
    } catch (error) {
      // Whoever has started it may have buried it already.
      if (!(error instanceof IpcError)) throw error;
    }
    yield* this.attend();
  }

  *ended(pid: number, context: RequestContext<End>): Steps<End | Deferred> {
    const end = this.#ends.get(pid);
    if (end !== undefined) return end;
    const program = this.#programs.get(pid);
    if (program === undefined) throw new IpcError(Err.NOT_FOUND, "ended");
    program.waiting.push(yield* context.defer());
    return DEFERRED;
  }

  /** Looks after programs that have ended. */
  *attend(): Steps<void> {
    for (const program of [...this.#programs.values()]) {
      const { ended, ...seen } = yield* monitor.status(this.os.sys, program.monitor);
      if (ended) yield* this.#bury(program, seen);
    }
  }

  *#bury(program: Program, seen: Omit<End, "fault" | "callers">): Steps<void> {
    const { os } = this;
    const end = yield* this.#endOf(program.process, seen);
    this.#programs.delete(program.pid);
    this.#monitors.push(program.monitor);
    this.#ends.set(program.pid, end);
    if (this.#ends.size > MAX_REMEMBERED) this.#ends.delete(this.#ends.keys().next().value!);
    if (program.spawned === null) yield* os.drop(program.process);
    else yield* endProcess(os, program.spawned);
    for (const reply of program.waiting) {
      try {
        yield* reply.answer(end);
      } catch (error) {
        // Nobody waits any more.
        if (!(error instanceof IpcError)) throw error;
      }
    }
  }

  /** All that is known of an end: of a process that its starter has buried, only what its monitor saw. */
  *#endOf(handle: number, seen: Omit<End, "fault" | "callers">): Steps<End> {
    const { sys } = this.os;
    try {
      const status = yield* process.status(sys, handle);
      return { ...status, callers: (yield* process.callers(sys, handle)) ?? [] };
    } catch (error) {
      if (!(error instanceof IpcError)) throw error;
      const state = seen.state <= LifeState.RUNNING ? LifeState.KILLED : seen.state;
      return { ...seen, state, fault: "", callers: [] };
    }
  }
}
