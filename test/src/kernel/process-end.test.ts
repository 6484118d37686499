import { Err, LifeState, ObjectType, Right, Slot, SlotState } from "@capos/abi";
import {
  CHUNK,
  type Core,
  type CoreId,
  configureThread,
  deriveSlot,
  endProcess,
  killSlot,
  moveSlot,
  type ProcessRef,
  type SlotRef,
  startHere,
  type ThreadRef,
} from "@capos/kernel/internal";
import { Cleaning, KernelArea, KernelInfo, Process, Tables, Thread, ThreadState } from "@capos/kernel/layout";
import fc from "fast-check";
import t from "tap";
import { useSeed } from "../support/machine.js";
import { configureProcess } from "./support/processes.js";
import { makeBench } from "./support/slots.js";
import { childrenOf, interleave, settle, stateOf, turn } from "./support/tree.js";

useSeed(t);

const bench = makeBench(2);
const { i32, cores, slotAt, untyped, locked, objectIn, resources } = bench;
const [zero, one] = cores as [Core, Core];
const init = resources.process;
const { tables } = zero;
const TABLE = i32[tables + Tables.THREAD_TABLE];
const LIMIT = i32[tables + Tables.THREAD_LIMIT];
const TOTAL = LIMIT - 1;

/** Init alone, with all thread numbers, and 2^bits bytes of memory. */
function begin(bits: number): void {
  bench.renew(bits);
  for (let number = 0; number < LIMIT; number++) i32[TABLE + number] = 0;
  i32[init + Process.LIFE] = LifeState.RUNNING;
  i32[init + Process.THREADS_LEFT] = TOTAL;
  i32[init + Process.THREADS] = 1;
  for (const field of [Process.FIRST_CHILD, Process.FIRST_THREAD, Process.PARENT]) i32[init + field] = 0;
}

const isAlive = (slot: number): boolean => stateOf(i32, slot) === SlotState.LIVE;
const kill = (k: Core, slot: SlotRef): void => locked(k, (held) => killSlot(held, slot));

/** What a process made and has not been handed on; throws if the list is not linked both ways. */
function madeBy(process: ProcessRef): ProcessRef[] {
  const found: ProcessRef[] = [];
  let previous = 0;
  for (
    let at = i32[process + Process.FIRST_CHILD] as ProcessRef | 0;
    at !== 0;
    at = i32[at + Process.NEXT_SIBLING] as ProcessRef | 0
  ) {
    if (i32[at + Process.PREVIOUS_SIBLING] !== previous || i32[at + Process.PARENT] !== process)
      throw new Error("a process is listed by one that did not make it");
    found.push(at);
    previous = at;
  }
  return found;
}

/** Thread numbers that are taken, by the table. */
function numbersTaken(): number {
  let taken = 0;
  for (let number = 1; number < LIMIT; number++) if (i32[TABLE + number] !== 0) taken++;
  return taken;
}

const step = fc.record({
  what: fc.constantFrom(
    "process",
    "process",
    "process",
    "thread",
    "thread",
    "start",
    "kill thread",
    "kill",
    "drop",
    "turn",
    "turn",
  ),
  pick: fc.nat(),
  number: fc.nat(40),
  core: fc.nat(1),
});

t.test(
  "thread numbers are conserved: each is a thread's, or left to a process that is not gone, and when all are gone all are init's",
  (t) => {
    let processes = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: "max" }), (steps) => {
        begin(20);
        const [cnode] = bench.make(ObjectType.CNODE, 4, 1, 100) as [SlotRef];
        let next = 101;
        /** Slots of processes and of threads. */
        const made = new Map<SlotRef, ProcessRef>();
        const threads = new Map<SlotRef, ThreadRef>();
        const all: ProcessRef[] = [];
        const check = (): void => {
          const family = [init];
          for (const process of family) family.push(...madeBy(process));
          if (new Set(family).size !== family.length) throw new Error("a process has two makers");
          for (const process of all) {
            const gone = i32[process + Process.CLEANING] === Cleaning.DONE;
            if (family.includes(process) === gone)
              throw new Error(
                gone ? "a process that is gone has a parent" : "a process has no parent any more",
              );
          }
          let sum = numbersTaken();
          for (const process of family) {
            if (i32[process + Process.THREADS_LEFT] < 0)
              throw new Error("more numbers were given than there were");
            sum += i32[process + Process.THREADS_LEFT];
          }
          if (sum !== TOTAL) throw new Error(`there are ${sum} numbers, not ${TOTAL}`);
        };
        for (const { what, pick, number, core } of steps) {
          const k = cores[core];
          const [slot, process] = [...made][pick % Math.max(1, made.size)] ?? [0, 0];
          const runs = process !== 0 && i32[process + Process.LIFE] === LifeState.RUNNING;
          if (what === "process") {
            const parent = pick % 3 === 0 || !runs ? init : process;
            const had = i32[parent + Process.THREADS_LEFT];
            const [fresh] = bench.make(ObjectType.PROCESS, 0, 1, next++) as [SlotRef];
            const result = configureProcess(bench, k, fresh, cnode, number, parent);
            if (number > had) {
              if (result !== Err.NO_RESOURCE || i32[parent + Process.THREADS_LEFT] !== had)
                throw new Error("more numbers were taken than there were");
              kill(k, fresh);
            } else {
              if (result !== Err.OK) throw new Error(`configure answers ${result}`);
              made.set(fresh, objectIn(fresh));
              all.push(objectIn(fresh));
              processes++;
            }
          } else if (what === "turn") turn(k);
          else if (what === "thread" && process !== 0) {
            const had = i32[process + Process.THREADS_LEFT];
            const [fresh] = bench.make(ObjectType.THREAD, 0, 1, next++) as [SlotRef];
            const result = configureThread(k, objectIn(fresh), process, (pick % 2) as CoreId, pick % 7);
            if (result !== (runs ? (had > 0 ? Err.OK : Err.NO_RESOURCE) : Err.BUSY))
              throw new Error(`a thread's configuration answers ${result}`);
            threads.set(fresh, objectIn(fresh));
          } else if (what === "start" && threads.size > 0) {
            const thread = [...threads.values()][pick % threads.size];
            const [number, home] = [i32[thread + Thread.NUMBER], cores[i32[thread + Thread.HOME]]];
            if (number !== 0 && i32[TABLE + number] === thread && i32[thread + Thread.LIFE] === LifeState.NEW)
              startHere(home, thread);
          } else if (what === "kill thread" && threads.size > 0) {
            const dying = [...threads.keys()][pick % threads.size];
            kill(k, dying);
            threads.delete(dying);
          } else if (what === "kill" && process !== 0) endProcess(k, process, LifeState.KILLED, 0);
          else if (what === "drop" && slot !== 0) {
            kill(k, slot);
            made.delete(slot);
          }
          check();
        }
        for (const slot of made.keys()) kill(zero, slot);
        for (let busy = true; busy; ) {
          busy = turn(zero);
          busy = turn(one) || busy;
          check();
        }
        return i32[init + Process.THREADS_LEFT] === TOTAL && madeBy(init).length === 0;
      }),
      { numRuns: 120 },
    );
    t.ok(processes > 500, `${processes} processes`);
    t.end();
  },
);

t.test("what a process made is handed to its parent, 64 at a time, before it is gone itself", (t) => {
  begin(20);
  const [cnode] = bench.make(ObjectType.CNODE, 4, 1, 100) as [SlotRef];
  const [parent] = bench.make(ObjectType.PROCESS, 0, 1, 101) as [SlotRef];
  t.equal(configureProcess(bench, zero, parent, cnode, 200), Err.OK);
  const children = bench.make(ObjectType.PROCESS, 0, 150, 110);
  for (const child of children) configureProcess(bench, zero, child, cnode, 1, objectIn<ProcessRef>(parent));
  t.equal(i32[objectIn(parent) + Process.THREADS_LEFT], 50);
  endProcess(zero, objectIn(parent), LifeState.EXITED, 0);
  for (let before = 150; i32[objectIn(parent) + Process.CLEANING] !== Cleaning.DONE; ) {
    turn(zero);
    const now = madeBy(objectIn(parent)).length;
    t.ok(before - now <= 64, `${before - now} in a turn`);
    t.equal(now > 0 && i32[objectIn(parent) + Process.CLEANING] === Cleaning.DONE, false);
    before = now;
  }
  t.equal(madeBy(init).length, 150);
  t.equal(i32[init + Process.THREADS_LEFT], TOTAL - 150);
  t.end();
});

t.test(
  "a process that ends: first its threads, wherever they live, then what is in its CSpace, then its numbers",
  (t) => {
    begin(20);
    const [cnode] = bench.make(ObjectType.CNODE, 10, 1, 100) as [SlotRef];
    const [slot] = bench.make(ObjectType.PROCESS, 0, 1, 101) as [SlotRef];
    const process = objectIn<ProcessRef>(slot);
    configureProcess(bench, zero, slot, cnode, 200);
    const threads = bench.make(ObjectType.THREAD, 0, 150, 110).map(objectIn<ThreadRef>);
    threads.forEach((thread, i) => {
      configureThread(zero, thread, process, (i % 2) as CoreId, 5);
      if (i % 3 === 0) startHere(cores[i % 2], thread);
    });
    t.equal(i32[process + Process.THREADS_LEFT], 50);
    const inside = (index: number): SlotRef => (objectIn(cnode) + index * Slot.WORDS) as SlotRef;
    const [frame] = bench.make(ObjectType.FRAME, 12, 1, 300) as [SlotRef];
    for (let i = 1; i < 1000; i++) locked(zero, (held) => deriveSlot(held, frame, inside(i), Right.ALL, 0));
    // It passed one on.
    locked(zero, (held) => deriveSlot(held, inside(500), slotAt(301), Right.ALL, 0));
    endProcess(zero, process, LifeState.EXITED, 0);
    const alive = (): number => Array.from({ length: 1023 }, (_, i) => inside(i + 1)).filter(isAlive).length;
    let most = 999;
    const ended = (): boolean => threads.every((thread) => i32[thread + Thread.STATE] === ThreadState.DEAD);
    for (let busy = true; busy; ) {
      busy = turn(zero);
      const now = alive();
      t.ok(most - now <= CHUNK, `${most - now} slots in a turn`);
      if (now < most) t.ok(ended(), "no thread of it can use them");
      most = now;
      if (i32[process + Process.CLEANING] !== Cleaning.DONE)
        t.equal(i32[init + Process.THREADS_LEFT], TOTAL - 200, "the numbers come last");
      busy = turn(one) || busy;
    }
    t.equal(alive(), 0);
    t.ok(isAlive(slotAt(301)), "what it passed on stays");
    t.equal(i32[init + Process.THREADS_LEFT], TOTAL);
    t.equal(i32[process + Process.CSPACE_SLOTS], 0);
    t.equal(i32[zero.kernelArea + KernelArea.READY_COUNT], 0);
    t.end();
  },
);

/** Two processes on one CSpace that holds memory, something made of it elsewhere, and a copy of another's. */
function makePair(): { processes: [ProcessRef, ProcessRef]; inside: SlotRef[]; product: SlotRef } {
  begin(20);
  const [cnode] = bench.make(ObjectType.CNODE, 4, 1, 100) as [SlotRef];
  const slots = bench.make(ObjectType.PROCESS, 0, 2, 101) as [SlotRef, SlotRef];
  const [memory] = bench.make(ObjectType.UNTYPED, 13, 1, 110) as [SlotRef];
  const [product] = bench.make(ObjectType.ENDPOINT, 0, 1, 111, memory) as [SlotRef];
  const inside = [1, 2].map((index) => (objectIn(cnode) + index * Slot.WORDS) as SlotRef);
  locked(zero, (held) => {
    moveSlot(held, memory, inside[0], Right.ALL);
    deriveSlot(held, cnode, inside[1], Right.ALL, 0);
  });
  for (const slot of slots) configureProcess(bench, zero, slot, cnode, 1);
  return { processes: slots.map(objectIn<ProcessRef>) as [ProcessRef, ProcessRef], inside, product };
}

t.test("a CSpace of two processes is emptied when the second ends, not before", (t) => {
  const { processes, inside, product } = makePair();
  endProcess(zero, processes[0], LifeState.EXITED, 0);
  settle(cores);
  t.equal(i32[processes[0] + Process.CLEANING], Cleaning.DONE);
  t.ok([...inside, product].every(isAlive));
  endProcess(one, processes[1], LifeState.EXITED, 0);
  settle(cores);
  t.notOk([...inside, product].some(isAlive), "what was made of its memory dies everywhere");
  t.end();
});

t.test(
  "a CSpace of two processes that end at once on two cores is emptied, at whichever instruction they meet",
  (t) => {
    let points = 0;
    for (let nth = 1; nth < 60; nth++) {
      const { processes, inside, product } = makePair();
      endProcess(zero, processes[0], LifeState.EXITED, 0);
      endProcess(one, processes[1], LifeState.EXITED, 0);
      const met = interleave(
        "add",
        zero.i32,
        KernelInfo.TREE_LOCK_TICKET,
        () => {
          while (turn(one));
        },
        () => settle(cores),
        nth,
      );
      settle(cores);
      t.ok(processes.every((process) => i32[process + Process.CLEANING] === Cleaning.DONE));
      const left = [...inside, product].filter(isAlive).length;
      if (left > 0) t.fail(`${left} capabilities are left over, met at the ${nth}th`);
      if (met) points++;
      else break;
    }
    t.ok(points >= 5, `${points} points`);
    t.ok(childrenOf(i32, untyped).length > 0);
    t.end();
  },
);
