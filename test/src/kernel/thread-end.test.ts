/** The end of threads that never ran, against memory that is not theirs. */
import { Err, LifeState, Method, ObjectType, Reg, TrapShift } from "@capos/abi";
import { makeRegisters } from "@capos/engine";
import { GeneratorContext } from "@capos/engine/generator";
import { checkState } from "@capos/inspect";
import {
  type Core,
  type CoreId,
  configureThread,
  invokeThread,
  linkChild,
  type ProcessRef,
  type SlotRef,
  type ThreadRef,
} from "@capos/kernel/internal";
import { Process, Thread, ThreadState } from "@capos/kernel/layout";
import t from "tap";
import { makeBench } from "./support/slots.js";

const bench = makeBench(2);
const { i32, thread, objectIn, locked } = bench;
const [here, there] = bench.cores as [Core, Core];
const init = bench.resources.process as ProcessRef;

const NONE = "nothing is written through a reference that is none";

function invoke(k: Core, self: SlotRef, method: Method): number {
  const context = new GeneratorContext(makeRegisters());
  context.regs[Reg.WORDS] = method;
  context.trap = 1 << TrapShift.WORDS;
  invokeThread(k, thread, context, self, method);
  return context.result;
}

t.test(
  "a thread that was never configured is destroyed without a write through its missing references",
  (t) => {
    bench.renew(18);
    const slots = bench.make(ObjectType.THREAD, 0, 3, 100);
    for (const slot of slots) {
      // Twice is no error, and on which core does not matter: it has no home.
      t.equal(invoke(there, slot, Method.THREAD_DESTROY), Err.OK);
      t.equal(invoke(here, slot, Method.THREAD_DESTROY), Err.OK);
      const it = objectIn(slot) as ThreadRef;
      t.equal(i32[it + Thread.LIFE], LifeState.KILLED);
      t.equal(i32[it + Thread.STATE], ThreadState.DEAD);
      t.equal(configureThread(here, it, init, 0 as CoreId, 5), Err.BUSY, "it cannot be configured any more");
    }
    t.notOk(checkState(bench.memory).some(({ rule }) => rule === NONE));
    t.end();
  },
);

t.test("a process whose forebears have all ended is nobody's child, and nobody's list is written", (t) => {
  bench.renew(18);
  const [slot] = bench.make(ObjectType.PROCESS, 0, 1, 100);
  const process = objectIn(slot) as ProcessRef;
  locked(here, (held) => linkChild(held, 0, process));
  t.same([i32[process + Process.PARENT], i32[process + Process.NEXT_SIBLING]], [0, 0]);
  t.notOk(checkState(bench.memory).some(({ rule }) => rule === NONE));
  t.end();
});
