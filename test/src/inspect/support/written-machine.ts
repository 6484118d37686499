/**
 * Machines for inspections: kernel objects written word by word, by no code of the kernel's, so that what
 * an inspection says can be told from what the kernel does.
 */
import { LifeState, ObjectType, Right, Slot, SlotBits, SlotFlag, SlotState } from "@capos/abi";
import { BootInfo, CoreArea, CoreState, coreArea, nowNs } from "@capos/hal";
import {
  Endpoint,
  KernelArea,
  KernelCore,
  KernelInfo,
  LAST_IN_LIST,
  Monitor,
  Notification,
  ObjectHeader,
  Process,
  QueueKind,
  Reap,
  Role,
  Tables,
  Thread,
  ThreadState,
} from "@capos/kernel/layout";
import { type Machine, makeMachine } from "../../support/machine.js";

/** What a slot holds, as a test says it. */
export interface Held {
  readonly type: ObjectType;
  readonly object: number;
  readonly parent: number;
  readonly rights?: number;
  readonly flags?: number;
  readonly sizeBits?: number;
  readonly badge?: number;
  readonly state?: SlotState;
  readonly expiryNs?: number;
}

/** Kernel memory that a test writes: objects from the bottom of the free region, line by line. */
export class Memory {
  readonly machine: Machine;
  readonly i32: Int32Array;
  readonly tables: number;
  readonly root: number;
  #next: number;

  constructor(cores = 2) {
    this.machine = makeMachine(cores);
    this.i32 = this.machine.memory.i32;
    this.#next = this.i32[BootInfo.FREE];
    this.tables = this.take(Tables.SIZE);
    this.root = this.tables + Tables.ROOT;
    this.set(this.tables, {
      [Tables.KERNEL_AREAS]: this.take(cores * KernelArea.SIZE),
      [Tables.THREAD_TABLE]: this.take(64),
      [Tables.THREAD_LIMIT]: 64,
      [Tables.IRQ_HANDLERS]: this.take(1024),
    });
    this.i32[KernelInfo.TABLES] = this.tables;
    for (let core = 0; core < cores; core++)
      this.i32[coreArea(this.machine.memory, core) + CoreArea.STATE] = CoreState.ONLINE;
  }

  /** Zeroed memory, on an address that is a multiple of its size. */
  take(words: number): number {
    const size = 2 ** Math.ceil(Math.log2(Math.max(words, Slot.WORDS)));
    const at = Math.ceil(this.#next / size) * size;
    this.#next = at + size;
    return at;
  }

  set(at: number, words: Readonly<Record<number, number>>): void {
    for (const [offset, value] of Object.entries(words)) this.i32[at + Number(offset)] = value;
  }

  /** Makes a slot hold a capability, as the last child of its parent. */
  hold(slot: number, held: Held): number {
    const { i32 } = this;
    const { type, object, parent, rights = Right.ALL, flags = 0, sizeBits = 0, badge = 0 } = held;
    const state = held.state ?? SlotState.LIVE;
    this.set(slot, {
      [Slot.STATE]:
        state |
        (type << SlotBits.TYPE_SHIFT) |
        (rights << SlotBits.RIGHTS_SHIFT) |
        flags |
        (sizeBits << SlotBits.SIZE_SHIFT),
      [Slot.OBJECT]: object,
      [Slot.BADGE]: badge,
    });
    if (held.expiryNs !== undefined) this.machine.memory.f64[(slot + Slot.EXPIRY) >> 1] = held.expiryNs;
    const first = i32[parent + Slot.FIRST_CHILD];
    if (first === 0) {
      i32[parent + Slot.FIRST_CHILD] = slot;
      this.set(slot, { [Slot.PARENT]: parent, [Slot.NEXT_SIBLING]: slot, [Slot.PREVIOUS_SIBLING]: slot });
    } else {
      const last = i32[first + Slot.PREVIOUS_SIBLING];
      this.set(slot, { [Slot.NEXT_SIBLING]: first, [Slot.PREVIOUS_SIBLING]: last });
      i32[last + Slot.NEXT_SIBLING] = slot;
      i32[first + Slot.PREVIOUS_SIBLING] = slot;
    }
    return slot;
  }

  /** A process with a CSpace of its own. */
  process(
    number: number,
    name: string,
    cspace: number,
    slots: number,
    more: Record<number, number> = {},
  ): number {
    const process = this.take(Process.SIZE);
    this.set(process, {
      [Process.NUMBER]: number,
      [Process.LIFE]: LifeState.RUNNING,
      [Process.CSPACE]: cspace,
      [Process.CSPACE_SLOTS]: slots,
      [Process.NAME_BYTES]: name.length,
      ...more,
    });
    for (let i = 0; i < name.length; i++)
      this.machine.memory.u8[(process + Process.NAME) * 4 + i] = name.charCodeAt(i);
    return process;
  }

  /** A thread in the thread table. */
  thread(number: number, process: number, state: ThreadState, more: Record<number, number> = {}): number {
    const thread = this.take(Thread.SIZE);
    this.set(thread, {
      [Thread.NUMBER]: number,
      [Thread.PROCESS]: process,
      [Thread.STATE]: state,
      [Thread.LIFE]: LifeState.RUNNING,
      [Thread.PRIORITY]: 100,
      ...more,
    });
    this.i32[this.i32[this.tables + Tables.THREAD_TABLE] + number] = thread;
    return thread;
  }

  /** Puts threads of one priority into a queue, in their order. */
  queue(object: number, threads: readonly number[], role: Role): void {
    this.i32[object + Endpoint.QUEUE_HEAD] = threads[0];
    threads.forEach((thread, i) => {
      this.set(thread, {
        [Thread.QUEUE]: object,
        [Thread.ROLE]: role,
        [Thread.QUEUE_PRIORITY]: 100,
        [Thread.SAME_NEXT]: threads[(i + 1) % threads.length],
        [Thread.SAME_PREVIOUS]: threads.at(i - 1)!,
        [Thread.LEADER_NEXT]: i === 0 ? 0 : -1,
      });
    });
  }
}

/** Where everything of `makeSmallSystem` is, as word indices. */
export interface SmallSystem {
  readonly memory: Memory;
  readonly init: number;
  readonly echo: number;
  readonly untyped: number;
  readonly endpoint: number;
  readonly notification: number;
  /** In init's CSpace and in echo's. */
  initSlot(index: number): number;
  echoSlot(index: number): number;
}

/**
 * Two processes. `init` holds 1 MiB of untyped memory (slot 16), from which `echo` was made with all that it
 * has; echo's thread 2 receives at the endpoint through its slot 5, threads 3 and 4 wait for a
 * notification, thread 1 waits for the reply of thread 2's other thread 5. Another notification is being
 * finalised.
 */
export function makeSmallSystem(): SmallSystem {
  const memory = new Memory();
  const { tables, root } = memory;
  const initSpace = memory.take(64 * Slot.WORDS);
  const init = memory.process(1, "init", initSpace, 64, {
    [Process.THREADS_LEFT]: 40,
    [Process.CEILING]: 255,
  });
  memory.i32[tables + Tables.INIT_PROCESS] = init;
  const initSlot = (index: number): number => initSpace + index * Slot.WORDS;
  memory.hold(initSlot(1), { type: ObjectType.CNODE, object: initSpace, parent: root, sizeBits: 6 });
  memory.hold(initSlot(2), { type: ObjectType.PROCESS, object: init, parent: root, sizeBits: 9 });
  memory.hold(initSlot(8), { type: ObjectType.IO_PORT, object: 1, parent: root });

  const pool = memory.take(2 ** 18);
  const untyped = memory.hold(initSlot(16), {
    type: ObjectType.UNTYPED,
    object: pool,
    parent: root,
    sizeBits: 20,
  });
  memory.i32[untyped + Slot.WATERMARK] = 4096 / 64;
  const make = (index: number, type: ObjectType, object: number, sizeBits: number): number =>
    memory.hold(initSlot(index), { type, object, parent: untyped, sizeBits });

  const echoSpace = memory.take(16 * Slot.WORDS);
  const echo = memory.process(2, "echo", echoSpace, 16, {
    [Process.THREADS]: 3,
    [Process.THREADS_LEFT]: 5,
    [Process.PARENT]: init,
    [Process.CEILING]: 120,
  });
  memory.i32[init + Process.FIRST_CHILD] = echo;
  const echoSlot = (index: number): number => echoSpace + index * Slot.WORDS;
  make(20, ObjectType.CNODE, echoSpace, 4);
  make(21, ObjectType.PROCESS, echo, 9);
  memory.hold(echo + Process.BINDING, {
    type: ObjectType.CNODE,
    object: echoSpace,
    parent: initSlot(20),
    sizeBits: 4,
    flags: SlotFlag.BINDING,
  });

  const endpoint = memory.take(Endpoint.SIZE);
  const notification = memory.take(Notification.SIZE);
  make(22, ObjectType.ENDPOINT, endpoint, 7);
  make(23, ObjectType.NOTIFICATION, notification, 7);
  memory.hold(echoSlot(5), {
    type: ObjectType.ENDPOINT,
    object: endpoint,
    parent: initSlot(22),
    rights: Right.RECEIVE | Right.GRANT,
    sizeBits: 7,
  });
  memory.hold(echoSlot(6), {
    type: ObjectType.ENDPOINT,
    object: endpoint,
    parent: initSlot(22),
    rights: Right.SEND,
    badge: 7,
    flags: SlotFlag.BADGED | SlotFlag.MINTED | SlotFlag.NO_SENDERS,
    sizeBits: 7,
  });
  memory.hold(echoSlot(7), {
    type: ObjectType.NOTIFICATION,
    object: notification,
    parent: initSlot(23),
    badge: 2,
    flags: SlotFlag.BADGED | SlotFlag.EXPIRES | SlotFlag.SEALED,
    expiryNs: nowNs() + 3600e9,
    sizeBits: 7,
  });
  memory.i32[echoSlot(8)] = SlotState.DEAD;
  memory.i32[echoSlot(9)] = SlotState.RESERVED;

  const through = (slot: number) => ({
    [Thread.WAIT_SLOT]: slot,
    [Thread.WAIT_GENERATION]: memory.i32[slot + Slot.GENERATION],
  });
  memory.thread(1, init, ThreadState.AWAITING_REPLY, { [Thread.CALL_NUMBER]: 9 });
  const receiver = memory.thread(2, echo, ThreadState.QUEUED, { [Thread.HOME]: 1, ...through(echoSlot(5)) });
  const waiters = [3, 4].map((number) =>
    memory.thread(number, echo, ThreadState.QUEUED, {
      ...through(initSlot(23)),
      [Thread.WAIT_GENERATION]: number - 3,
    }),
  );
  const server = memory.thread(5, echo, ThreadState.RUNNING, {
    [Thread.REPLY_TO]: 1,
    [Thread.REPLY_CALL]: 9,
  });
  make(24, ObjectType.THREAD, receiver, 10);
  memory.queue(endpoint, [receiver], Role.RECEIVER);
  memory.i32[endpoint + Endpoint.KIND] = QueueKind.RECEIVERS;
  memory.i32[endpoint + Endpoint.HOME] = 1;
  memory.queue(notification, waiters, Role.WAITER);
  memory.i32[coreArea(memory.machine.memory, 1) + KernelCore.CURRENT_THREAD] = server;

  const monitor = memory.take(Monitor.SIZE);
  make(25, ObjectType.MONITOR, monitor, 8);
  const binding = { flags: SlotFlag.BINDING };
  memory.hold(monitor + Monitor.TARGET, {
    type: ObjectType.PROCESS,
    object: echo,
    parent: initSlot(21),
    ...binding,
  });
  memory.hold(monitor + Monitor.NOTIFICATION, {
    type: ObjectType.NOTIFICATION,
    object: notification,
    parent: initSlot(23),
    ...binding,
  });
  memory.i32[echo + Process.MONITORS] = monitor;

  const ended = memory.take(Notification.SIZE);
  const header = memory.hold(ended + Notification.HEADER, {
    type: ObjectType.NOTIFICATION,
    object: ended,
    parent: untyped,
    state: SlotState.DEAD,
    sizeBits: 7,
  });
  memory.set(header, {
    [ObjectHeader.REAP_NEXT]: LAST_IN_LIST,
    [ObjectHeader.REAP_CORE]: 2,
    [ObjectHeader.REAP_WORK]: Reap.FINALISE,
  });
  const areas = memory.i32[tables + Tables.KERNEL_AREAS];
  memory.i32[areas + KernelArea.SIZE + KernelArea.REAP_HEAD] = header;
  memory.i32[areas + KernelArea.SWEEP_HEAD] = endpoint;
  memory.i32[endpoint + Endpoint.SWEEP_NEXT] = LAST_IN_LIST;
  return { memory, init, echo, untyped, endpoint, notification, initSlot, echoSlot };
}
