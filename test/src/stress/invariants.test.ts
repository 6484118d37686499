/**
 * Memory with one thing wrong in it: what the invariants must see. Each starts from a kernel with objects,
 * copies, bindings, a queue and lists, in which nothing is wrong.
 */
import { InitSlot, ObjectType, Right, Slot, SlotFlag, SlotState } from "@capos/abi";
import { checkState } from "@capos/inspect";
import {
  bindSlot,
  derivePart,
  deriveSlot,
  type EndpointRef,
  insert,
  killSlot,
  lockTree,
  type SlotRef,
  type ThreadRef,
  unlockTree,
} from "@capos/kernel/internal";
import {
  AddressSpace,
  Binding,
  Endpoint,
  KernelArea,
  KernelInfo,
  Monitor,
  Notification,
  ObjectHeader,
  Process,
  QueueKind,
  Role,
  Tables,
  Thread,
  ThreadState,
} from "@capos/kernel/layout";
import t from "tap";
import { makeKernel, retypeOnce } from "../kernel/support/kernel.js";

/** Slots of init's CNode that the fixture fills. */
const enum At {
  ENDPOINT = 100,
  NOTIFICATION = 101,
  CNODE = 102,
  PROCESS = 103,
  THREAD = 104,
  MONITOR = 105,
  MEMORY = 106,
  FRAME = 107,
  SPACE = 108,
  /** Parts of the frame: of two pages, and the second of them, which is derived from the frame too. */
  PART = 114,
  PAGE = 115,
  /** Copies of the endpoint: a badge, its child, and that one's. */
  BADGE = 110,
  CHILD = 111,
  GRANDCHILD = 112,
  SIBLING = 113,
  EMPTY = 120,
}

function populated() {
  const kernel = makeKernel(2);
  const k = kernel.cores[0];
  const { i32 } = k;
  const { process, thread: init } = kernel.resources;
  const slotAt = (index: number): SlotRef => (kernel.cspace + index * Slot.WORDS) as SlotRef;
  const untyped = slotAt(InitSlot.UNTYPED);
  const make = (type: ObjectType, at: number, sizeBits = 0): number => {
    const cnodeSlot = slotAt(InitSlot.CNODE);
    const { status } = retypeOnce(k, init, { untyped, type, sizeBits, count: 1, cnodeSlot, first: at });
    if (status !== 0) throw new Error(`retype: ${status}`);
    return i32[slotAt(at) + Slot.OBJECT];
  };
  const objects = {
    endpoint: make(ObjectType.ENDPOINT, At.ENDPOINT),
    notification: make(ObjectType.NOTIFICATION, At.NOTIFICATION),
    cnode: make(ObjectType.CNODE, At.CNODE, 3),
    process: make(ObjectType.PROCESS, At.PROCESS),
    thread: make(ObjectType.THREAD, At.THREAD) as ThreadRef,
    monitor: make(ObjectType.MONITOR, At.MONITOR),
    memory: make(ObjectType.UNTYPED, At.MEMORY, 10),
    frame: make(ObjectType.FRAME, At.FRAME, 14),
    space: make(ObjectType.ADDRESS_SPACE, At.SPACE),
  };
  const held = lockTree(k);
  deriveSlot(held, slotAt(At.ENDPOINT), slotAt(At.BADGE), Right.ALL, 7);
  deriveSlot(held, slotAt(At.BADGE), slotAt(At.CHILD), Right.ALL & ~Right.RECEIVE, 0);
  deriveSlot(held, slotAt(At.CHILD), slotAt(At.GRANDCHILD), Right.SEND, 0);
  deriveSlot(held, slotAt(At.BADGE), slotAt(At.SIBLING), Right.ALL, 0);
  // A thread of init's that waits in the endpoint's queue, watched by the monitor.
  const { thread } = objects;
  const number = 1;
  i32[i32[k.tables + Tables.THREAD_TABLE] + number] = thread;
  i32[thread + Thread.NUMBER] = number;
  i32[thread + Thread.PROCESS] = process;
  i32[thread + Thread.LIFE] = 1;
  i32[process + Process.FIRST_THREAD] = thread;
  i32[process + Process.THREADS] = 1;
  i32[process + Process.THREADS_LEFT]--;
  i32[thread + Thread.STATE] = ThreadState.QUEUED;
  i32[thread + Thread.ROLE] = Role.RECEIVER;
  i32[thread + Thread.WAIT_SLOT] = slotAt(At.BADGE);
  i32[thread + Thread.WAIT_GENERATION] = i32[slotAt(At.BADGE) + Slot.GENERATION];
  insert(k, objects.endpoint as EndpointRef, thread);
  i32[objects.endpoint + Endpoint.KIND] = QueueKind.RECEIVERS;
  bindSlot(held, slotAt(At.THREAD), (objects.monitor + Monitor.TARGET) as SlotRef, Binding.MONITOR_TARGET);
  bindSlot(
    held,
    slotAt(At.NOTIFICATION),
    (objects.monitor + Monitor.NOTIFICATION) as SlotRef,
    Binding.MONITOR_NOTIFICATION,
  );
  bindSlot(held, slotAt(At.SPACE), (process + Process.SPACE_BINDING) as SlotRef, Binding.PROCESS_SPACE);
  derivePart(held, slotAt(At.FRAME), slotAt(At.PART), objects.frame, 13);
  derivePart(held, slotAt(At.FRAME), slotAt(At.PAGE), objects.frame + 1024, 12);
  unlockTree(held);
  i32[thread + Thread.MONITORS] = objects.monitor;
  return { ...kernel, i32, tables: k.tables, slotAt, objects, init: process };
}

type Populated = ReturnType<typeof populated>;

/** Asserts that the invariants name this rule once something is planted. */
function planted(rule: string, what: string, plant: (it: Populated) => void): void {
  t.test(`${what} breaks "${rule}", and is seen`, async (t) => {
    const it = populated();
    t.same(checkState(it.memory), [], "nothing is wrong at first");
    plant(it);
    const rules = checkState(it.memory).map((finding) => finding.rule);
    t.ok(rules.includes(rule), rules.join("; "));
  });
}

t.test("parts of a frame that is gone may overlap", async (t) => {
  const { memory, slotAt, cores } = populated();
  const held = lockTree(cores[0]);
  killSlot(held, slotAt(At.FRAME));
  unlockTree(held);
  t.same(checkState(memory), []);
});

t.test("a kernel that has just been built keeps all invariants", async (t) => {
  t.same(checkState(makeKernel(4).memory), []);
});

const NONE = "nothing is written through a reference that is none";
planted(NONE, "a field of the process at reference 0", ({ i32 }) => {
  i32[Process.FIRST_THREAD] = 1;
});
planted(NONE, "a thread with number 0", ({ i32, tables, objects }) => {
  i32[i32[tables + Tables.THREAD_TABLE]] = objects.thread;
});

planted(
  "whoever waits stands where its priority says",
  "a priority that is not the queue's",
  ({ i32, objects }) => {
    i32[objects.thread + Thread.PRIORITY] = 3;
  },
);

const TREE = "the derivation tree is well-formed";
planted(TREE, "a circle of siblings that does not lead back", ({ i32, slotAt }) => {
  i32[slotAt(At.CHILD) + Slot.PREVIOUS_SIBLING] = slotAt(At.ENDPOINT);
});
planted(TREE, "a circle that leads into another", ({ i32, slotAt }) => {
  const other = i32[slotAt(At.ENDPOINT) + Slot.NEXT_SIBLING];
  i32[slotAt(At.CHILD) + Slot.NEXT_SIBLING] = other;
});
planted(TREE, "a sibling that is no slot", ({ i32, slotAt }) => {
  i32[slotAt(At.CHILD) + Slot.NEXT_SIBLING] = -5;
});
planted(TREE, "a first child that names another parent", ({ i32, slotAt }) => {
  i32[slotAt(At.GRANDCHILD) + Slot.PARENT] = slotAt(At.BADGE);
});
planted(TREE, "a later child that names a parent", ({ i32, slotAt }) => {
  const first = i32[slotAt(At.BADGE) + Slot.FIRST_CHILD];
  i32[i32[first + Slot.NEXT_SIBLING] + Slot.PARENT] = slotAt(At.BADGE);
});
planted(TREE, "a first child that is no slot", ({ i32, slotAt }) => {
  i32[slotAt(At.GRANDCHILD) + Slot.FIRST_CHILD] = 0x7fff_fff0;
});
planted("every live slot is in the derivation tree", "an orphan", ({ i32, slotAt }) => {
  i32[slotAt(At.CHILD) + Slot.FIRST_CHILD] = 0;
});
planted(
  "every live slot is in the derivation tree",
  "a slot that somebody reserved and left",
  ({ i32, slotAt }) => {
    i32[slotAt(At.EMPTY)] = SlotState.RESERVED;
  },
);
planted(
  "everything in the derivation tree is held by somebody",
  "a slot of no CNode",
  ({ i32, slotAt, free }) => {
    const stray = free + 0x40000;
    for (let word = 0; word < Slot.WORDS; word++) i32[stray + word] = i32[slotAt(At.GRANDCHILD) + word];
    i32[stray + Slot.PARENT] = slotAt(At.GRANDCHILD);
    i32[stray + Slot.NEXT_SIBLING] = stray;
    i32[stray + Slot.PREVIOUS_SIBLING] = stray;
    i32[slotAt(At.GRANDCHILD) + Slot.FIRST_CHILD] = stray;
  },
);
planted(
  "nothing dead is in the tree, and no object is still being finalised when all is at rest",
  "a slot that was killed and not taken out",
  ({ i32, slotAt }) => {
    i32[slotAt(At.GRANDCHILD)] = SlotState.DEAD;
  },
);

const DERIVED = "a capability has no more than the one it was derived from";
planted(DERIVED, "a right", ({ i32, slotAt }) => {
  i32[slotAt(At.GRANDCHILD)] |= Right.RECEIVE << 8;
});
planted(DERIVED, "another badge", ({ i32, slotAt }) => {
  i32[slotAt(At.CHILD) + Slot.BADGE] = 8;
});
planted(DERIVED, "another object", ({ i32, slotAt, objects }) => {
  i32[slotAt(At.CHILD) + Slot.OBJECT] = objects.notification;
});
planted(DERIVED, "a part that is not all in its frame", ({ i32, slotAt, objects }) => {
  i32[slotAt(At.PART) + Slot.OBJECT] = objects.frame + 3 * 1024;
});
planted(DERIVED, "more time", ({ i32, slotAt }) => {
  i32[slotAt(At.CHILD)] |= SlotFlag.EXPIRES;
});

const COUNTED = "an object counts its capabilities";
planted(COUNTED, "one too many", ({ i32, objects }) => {
  i32[objects.endpoint + Endpoint.HEADER + ObjectHeader.REFERENCES]++;
});
planted(COUNTED, "a binding forgotten", ({ i32, objects }) => {
  i32[objects.notification + Notification.HEADER + ObjectHeader.REFERENCES]--;
});
planted(COUNTED, "its end has begun", ({ i32, objects }) => {
  i32[objects.endpoint + Endpoint.HEADER] |= SlotState.DEAD;
});

planted(COUNTED, "an address space in use forgotten", ({ i32, objects }) => {
  i32[objects.space + AddressSpace.HEADER + ObjectHeader.REFERENCES]--;
});

const MEMORY = "memory belongs to one object";
planted(MEMORY, "two objects in the same place", ({ i32, slotAt, objects }) => {
  i32[slotAt(At.MEMORY) + Slot.OBJECT] = objects.thread - 16;
});
planted(MEMORY, "a page where an object is", ({ i32, slotAt, objects }) => {
  i32[slotAt(At.FRAME) + Slot.OBJECT] = objects.thread + 16;
  i32[slotAt(At.PART) + Slot.OBJECT] = objects.thread + 16;
});
planted(MEMORY, "an object above the watermark", ({ i32, slotAt }) => {
  i32[slotAt(InitSlot.UNTYPED) + Slot.WATERMARK] -= 8;
});
planted(MEMORY, "a watermark above the memory", ({ i32, slotAt }) => {
  i32[slotAt(At.MEMORY) + Slot.WATERMARK] = 17;
});

const ACCOUNTED = "every thread is accounted for";
planted(ACCOUNTED, "a thread in no process's list", ({ i32, init }) => {
  i32[init + Process.FIRST_THREAD] = 0;
});
planted(ACCOUNTED, "a thread that is not the one its table says", ({ i32, objects }) => {
  i32[objects.thread + Thread.NUMBER] = 9;
});
planted(ACCOUNTED, "a process that miscounts its threads", ({ i32, init }) => {
  i32[init + Process.THREADS] = 2;
});
planted(ACCOUNTED, "a queued thread in no queue", ({ i32, objects }) => {
  i32[objects.endpoint + Endpoint.QUEUE_HEAD] = 0;
});
planted(ACCOUNTED, "a thread in a queue that it does not know of", ({ i32, objects }) => {
  i32[objects.thread + Thread.QUEUE] = objects.notification;
});
planted(ACCOUNTED, "a thread in two queues", ({ i32, objects }) => {
  i32[objects.notification + Notification.QUEUE_HEAD] = objects.thread;
});
planted(ACCOUNTED, "a thread that is still dying", ({ i32, objects }) => {
  i32[objects.thread + Thread.STATE] = ThreadState.DYING;
});
planted(ACCOUNTED, "a list of threads that holds something else", ({ i32, objects }) => {
  i32[objects.thread + Thread.PROCESS_NEXT] = objects.cnode;
});
planted(ACCOUNTED, "a notification bound to a thread that is not bound to it", ({ i32, objects }) => {
  i32[objects.notification + Notification.BOUND_THREAD] = objects.thread;
});
planted("thread numbers are conserved", "one lost", ({ i32, init }) => {
  i32[init + Process.THREADS_LEFT]--;
});
planted(
  "whoever waits does so through a live capability",
  "a waiter forgotten by a revoke",
  ({ i32, objects }) => {
    i32[objects.thread + Thread.WAIT_GENERATION]--;
  },
);

planted(
  "badges without descendants are in their endpoint's list, and no others",
  "one that is in no list",
  ({ i32, slotAt }) => {
    i32[slotAt(At.BADGE)] |= SlotFlag.NO_SENDERS;
  },
);
planted(
  "badges without descendants are in their endpoint's list, and no others",
  "a stranger in the list",
  ({ i32, slotAt, objects }) => {
    i32[objects.endpoint + Endpoint.NO_SENDERS] = slotAt(At.NOTIFICATION);
  },
);
planted(
  "capabilities that expire are in the kernel's wheel, and no others",
  "one that is not in it",
  ({ i32, slotAt }) => {
    i32[slotAt(At.GRANDCHILD)] |= SlotFlag.TIMED;
  },
);
planted("a monitor is in the list of what it watches", "one that is in none", ({ i32, objects }) => {
  i32[objects.thread + Thread.MONITORS] = 0;
});
planted(
  "a monitor is in the list of what it watches",
  "a list that does not lead back",
  ({ i32, objects }) => {
    i32[objects.monitor + Monitor.PREVIOUS] = objects.monitor;
  },
);
planted(
  "nothing is left to be reaped or swept when all is at rest",
  "an object in a reaper's list",
  ({ i32, tables, objects }) => {
    const area = i32[tables + Tables.KERNEL_AREAS] + KernelArea.SIZE;
    i32[area + KernelArea.REAP_HEAD] = objects.endpoint + Endpoint.HEADER;
  },
);
planted("no queue is left to be swept when all is at rest", "a queue in a list", ({ i32, objects }) => {
  i32[objects.endpoint + Endpoint.SWEEP_NEXT] = -1;
});
planted(TREE, "links that never end", ({ i32, slotAt, memory }) => {
  i32[slotAt(At.GRANDCHILD) + Slot.FIRST_CHILD] = slotAt(At.BADGE);
  i32[slotAt(At.BADGE) + Slot.PARENT] = memory.i32[KernelInfo.TABLES];
});
