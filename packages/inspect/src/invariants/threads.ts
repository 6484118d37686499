/**
 * Threads as tables, processes and queues have them: each is in all of the places where it should be, and in
 * no other.
 */
import { LifeState, ObjectType, Slot, SlotBits, SlotState } from "@capos/abi";
import type { PhysicalMemory, WordIndex } from "@capos/hal";
import {
  Endpoint,
  KernelInfo,
  Notification,
  Process,
  Role,
  Tables,
  Thread,
  ThreadState,
} from "@capos/kernel/layout";
import { objectsOf } from "./objects.js";
import type { Problems } from "./problems.js";
import { hex, numberedThreads, type Tree } from "./tree.js";

const ACCOUNTED = "every thread is accounted for";
const WAITING = "whoever waits does so through a live capability";
const PLACED = "whoever waits stands where its priority says";
const QUOTA = "thread numbers are conserved";
const LIST_LIMIT = 100_000;

export function checkThreads(memory: PhysicalMemory, tree: Tree, problems: Problems): void {
  const { i32 } = memory;
  const threads = new Map<WordIndex, number>();
  for (const { number, thread } of numberedThreads(memory)) {
    threads.set(thread, number);
    if (i32[thread + Thread.NUMBER] !== number)
      problems.add(ACCOUNTED, `thread ${number} of the table says it is ${i32[thread + Thread.NUMBER]}`);
  }
  const queued = queuedThreads(memory, tree, problems);
  const processes = processesOf(memory, tree);
  const listed = new Set<WordIndex>();
  let numbers = 0;
  for (const process of processes) numbers += checkProcess(memory, process, threads, listed, problems);
  for (const [thread, number] of threads) {
    if (!listed.has(thread)) problems.add(ACCOUNTED, `thread ${number} is in no process's list`);
    checkThread(memory, thread, number, queued, problems);
  }
  const limit = i32[i32[KernelInfo.TABLES] + Tables.THREAD_LIMIT] - 1;
  if (numbers !== limit) problems.add(QUOTA, `there are ${limit}, processes have ${numbers}`);
}

/** Processes that somebody holds, or that have not handed back their thread numbers. */
function processesOf({ i32 }: PhysicalMemory, tree: Tree): Set<WordIndex> {
  const processes = new Set(objectsOf(tree, ObjectType.PROCESS).keys());
  const work = [i32[i32[KernelInfo.TABLES] + Tables.INIT_PROCESS]];
  for (let process = work.pop(); process !== undefined; process = work.pop()) {
    processes.add(process);
    let made = i32[process + Process.FIRST_CHILD];
    for (let n = 0; made !== 0 && n < LIST_LIMIT; n++) {
      if (!processes.has(made) || i32[made + Process.PARENT] === process) work.push(made);
      made = i32[made + Process.NEXT_SIBLING];
    }
  }
  return processes;
}

/** Follows a process's list of threads. Gives how many thread numbers it has, used or not. */
function checkProcess(
  { i32 }: PhysicalMemory,
  process: WordIndex,
  threads: ReadonlyMap<WordIndex, number>,
  listed: Set<WordIndex>,
  problems: Problems,
): number {
  const name = `process ${i32[process + Process.NUMBER]}`;
  let previous = 0;
  let numbers = 0;
  let alive = 0;
  for (
    let thread = i32[process + Process.FIRST_THREAD];
    thread !== 0;
    thread = i32[thread + Thread.PROCESS_NEXT]
  ) {
    const number = threads.get(thread);
    if (number === undefined || listed.has(thread)) {
      problems.add(ACCOUNTED, `${name} lists what is no thread of its own, at ${hex(thread)}`);
      break;
    }
    listed.add(thread);
    numbers++;
    if (i32[thread + Thread.PROCESS] !== process)
      problems.add(ACCOUNTED, `thread ${number} is in the list of ${name}, and not its own`);
    if (i32[thread + Thread.PROCESS_PREVIOUS] !== previous)
      problems.add(ACCOUNTED, `thread ${number}: the list of ${name} does not lead back`);
    if (i32[thread + Thread.LIFE] <= LifeState.RUNNING) alive++;
    previous = thread;
  }
  if (i32[process + Process.THREADS] !== alive)
    problems.add(
      ACCOUNTED,
      `${name} counts ${i32[process + Process.THREADS]} live threads, there are ${alive}`,
    );
  return numbers + i32[process + Process.THREADS_LEFT];
}

/** Who stands in which queue. */
function queuedThreads({ i32 }: PhysicalMemory, tree: Tree, problems: Problems): Map<WordIndex, WordIndex> {
  const queued = new Map<WordIndex, WordIndex>();
  const queues = [
    ...objectsOf(tree, ObjectType.ENDPOINT).keys(),
    ...objectsOf(tree, ObjectType.NOTIFICATION).keys(),
  ];
  for (const queue of queues) {
    for (let leader = i32[queue]; leader > 0; leader = i32[leader + Thread.LEADER_NEXT]) {
      let thread = leader;
      do {
        if (queued.has(thread)) {
          problems.add(ACCOUNTED, `the thread at ${hex(thread)} is in two queues, or twice in ${hex(queue)}`);
          return queued;
        }
        queued.set(thread, queue);
        thread = i32[thread + Thread.SAME_NEXT];
      } while (thread !== leader && thread > 0);
    }
    if (i32[queue + Endpoint.SWEEP_NEXT] !== 0)
      problems.add("no queue is left to be swept when all is at rest", hex(queue));
  }
  return queued;
}

/** What a thread may be when all is at rest, and what it waits for. */
function checkThread(
  { i32 }: PhysicalMemory,
  thread: WordIndex,
  number: number,
  queued: ReadonlyMap<WordIndex, WordIndex>,
  problems: Problems,
): void {
  const state = i32[thread + Thread.STATE];
  const role = i32[thread + Thread.ROLE];
  const queue = queued.get(thread);
  const waits =
    role === Role.SENDER || role === Role.CALLER || role === Role.RECEIVER || role === Role.WAITER;
  if (
    state !== ThreadState.INACTIVE &&
    state !== ThreadState.QUEUED &&
    state !== ThreadState.AWAITING_REPLY &&
    state !== ThreadState.REMOTE
  ) {
    problems.add(ACCOUNTED, `thread ${number} is in state ${state} when all is at rest`);
    return;
  }
  if (state === ThreadState.QUEUED && queue === undefined) {
    problems.add(ACCOUNTED, `thread ${number} is queued, and in no queue`);
    return;
  }
  if (queue === undefined) return;
  if (!waits || i32[thread + Thread.QUEUE] !== queue) {
    problems.add(ACCOUNTED, `thread ${number} is in the queue of ${hex(queue)}, and does not know it`);
    return;
  }
  if (i32[thread + Thread.QUEUE_PRIORITY] !== i32[thread + Thread.PRIORITY])
    problems.add(
      PLACED,
      `thread ${number} of priority ${i32[thread + Thread.PRIORITY]} stands with ${i32[thread + Thread.QUEUE_PRIORITY]}`,
    );
  const slot = i32[thread + Thread.WAIT_SLOT];
  const isLive = (i32[slot] & SlotBits.STATE_MASK) === SlotState.LIVE;
  const isSame =
    i32[slot + Slot.GENERATION] === i32[thread + Thread.WAIT_GENERATION] && i32[slot + Slot.OBJECT] === queue;
  // A thread that receives with a bound notification waits at that too, through its binding.
  if (!isLive || !isSame)
    problems.add(WAITING, `thread ${number} in the queue of ${hex(queue)} does not: slot ${hex(slot)}`);
}

/** A notification's own word of the thread that is bound to it. */
export function checkBindings({ i32 }: PhysicalMemory, tree: Tree, problems: Problems): void {
  for (const notification of objectsOf(tree, ObjectType.NOTIFICATION).keys()) {
    const thread = i32[notification + Notification.BOUND_THREAD];
    if (thread !== 0 && i32[thread + Thread.BOUND_NOTIFICATION] !== notification)
      problems.add(
        ACCOUNTED,
        `the notification ${hex(notification)} is bound to a thread that does not know it`,
      );
  }
}
