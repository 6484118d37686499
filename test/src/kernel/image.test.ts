/** An image's end against its use, between two instructions of one core. */
import { Err, LifeState, Method, ObjectType, Right, SlotState } from "@capos/abi";
import { addModule, findModule, unloadModule } from "@capos/hal";
import {
  type Core,
  endProcess,
  fillSlot,
  imageAt,
  invokeImageControl,
  killSlot,
  type ProcessRef,
  slotWord,
} from "@capos/kernel/internal";
import { Image, KernelInfo, ObjectHeader, Process, Thread } from "@capos/kernel/layout";
import t from "tap";
import { WAITS } from "./support/kernel.js";
import { configureProcess, handleIn, messageOf } from "./support/processes.js";
import { type Bench, makeBench } from "./support/slots.js";
import { interleave, settle, stateOf } from "./support/tree.js";

const CONTROL = 70;
const TAKEN = 71;
const CNODE = 1;

/** A bench with a capability to the store, and one image more, which only its taker holds: its number. */
function makeStore(): Bench & { zero: Core; one: Core; number: number; header: number } {
  const bench = makeBench(2);
  bench.renew(16);
  const [zero, one] = bench.cores as [Core, Core];
  const control = slotWord(ObjectType.IMAGE_CONTROL, Right.ALL, 0, 0);
  bench.locked(zero, (held) => fillSlot(held, bench.slotAt(CONTROL), control, 0, 0, bench.slotAt(90)));
  const number = addModule(bench.memory, "second", "");
  const store = { ...bench, zero, one, number, header: imageAt(zero, 1) + Image.HEADER };
  take(store, zero);
  unloadModule(bench.memory, number);
  return store;
}

/** Takes the second image into slot TAKEN; the answer, or `WAITS`. */
function take(bench: ReturnType<typeof makeStore>, k: Core): number {
  const handles = [bench.number, handleIn(bench, bench.cspace, bench.slotAt(CNODE)), TAKEN];
  const context = messageOf([Method.IMAGE_CONTROL_TAKE, ...handles]);
  context.result = WAITS;
  bench.i32[bench.thread + Thread.HOME] = k.id;
  invokeImageControl(k, bench.thread, context, bench.slotAt(CONTROL), Method.IMAGE_CONTROL_TAKE);
  return context.result;
}

const lose = (bench: ReturnType<typeof makeStore>): void =>
  bench.locked(bench.zero, (held) => killSlot(held, bench.slotAt(TAKEN)));

/** Configures a process of the second image on core 1. */
function configure(bench: ReturnType<typeof makeStore>): { answer: number; process: ProcessRef } {
  const [process, cnode] = [
    bench.make(ObjectType.PROCESS, 0, 1, 100)[0],
    bench.make(ObjectType.CNODE, 3, 1, 101)[0],
  ];
  const answer = configureProcess({ ...bench, image: bench.slotAt(TAKEN) }, bench.one, process, cnode, 0);
  return { answer, process: bench.objectIn<ProcessRef>(process) };
}

t.test("a process that is configured while its image's last capability is deleted gets none of it", (t) => {
  const bench = makeStore();
  let done = { answer: 0, process: 0 };
  // The objects are made first, under the lock as well.
  const came = interleave(
    "add",
    bench.one.i32,
    KernelInfo.TREE_LOCK_TICKET,
    () => lose(bench),
    () => {
      done = configure(bench);
    },
    3,
  );
  t.equal(came, true);
  t.equal(done.answer, Err.BAD_CAP);
  t.not(stateOf(bench.i32, done.process + Process.IMAGE_BINDING), SlotState.LIVE);
  settle(bench.cores);
  t.equal(findModule(bench.memory, bench.number), -1, "its place is free");
  t.end();
});

t.test("a process keeps its image after the last capability outside, until it has ended", (t) => {
  const bench = makeStore();
  const { answer, process } = configure(bench);
  t.equal(answer, Err.OK);
  lose(bench);
  settle(bench.cores);
  t.equal(bench.i32[bench.header + ObjectHeader.REFERENCES], 1);
  t.equal(findModule(bench.memory, bench.number), 1, "it is there");
  endProcess(bench.one, process, LifeState.KILLED, 0);
  settle(bench.cores);
  t.equal(findModule(bench.memory, bench.number), -1, "its place is free");
  t.equal(stateOf(bench.i32, bench.header), SlotState.EMPTY, "and can be taken");
  t.end();
});

t.test("an image whose end is under way is taken when that is over, not before", (t) => {
  const bench = makeStore();
  lose(bench);
  t.equal(take(bench, bench.one), WAITS, "it waits");
  t.equal(bench.i32[bench.header + ObjectHeader.REFERENCES], 0);
  settle(bench.cores);
  t.equal(take(bench, bench.one), Err.NOT_FOUND, "nobody held it");
  t.end();
});

t.test("an image of a kind that no engine runs is not taken", (t) => {
  const bench = makeStore();
  lose(bench);
  settle(bench.cores);
  bench.number = addModule(bench.memory, "third", "");
  bench.one.engine = { ...bench.one.engine!, kinds: [] };
  t.equal(take(bench, bench.one), Err.UNSUPPORTED);
  unloadModule(bench.memory, bench.number);
  t.equal(findModule(bench.memory, bench.number), -1, "the kernel does not hold it");
  t.end();
});
