/**
 * Row `process.create-kill`: the whole life of a process on its maker's core, and its memory had back.
 *
 * From 8 KiB of untyped memory are made a CSpace of 16 slots, a thread, a process, and 4 KiB of untyped
 * memory for it; it is given an endpoint, started, evaluates the image and says that it runs by a call. In
 * that call it is killed. Then the untyped memory is revoked, and the next process is made from the same
 * memory: that it is cleared, after two grace periods, is part of the time too.
 *
 * Arguments: nanoseconds.
 */
import { Method, ObjectType, Right, type Sys } from "@capos/abi";
import { cnode, type Filling, process, type Steps, start, startProcess, thread, untyped } from "@capos/libos";
import { numbers, reportSamples } from "./report.js";
import { Sampler } from "./sampler.js";

/** All of the memory is used, so that the next process needs it had back. */
const MEMORY_BITS = 13;
const CNODE_BITS = 4;
const GIVEN_MEMORY_BITS = 12;

export default function* main(sys: Sys): Generator<number, number, number> {
  const { words } = sys;
  // Started with one word, the endpoint: a process of the measured kind.
  if (sys.startWords === 1) {
    yield sys.call(words[0], 0);
    return 1;
  }

  const os = start(sys);
  const [budgetNs] = numbers(os) as [number];
  const { debug, cnode: space, thread: self, image } = os.environment;
  const endpoint = yield* os.endpoint();
  const memory = yield* os.make(ObjectType.UNTYPED, MEMORY_BITS);
  const { priority } = yield* thread.status(sys, self);
  const nodeSlot = os.slots.take();
  const threadSlot = os.slots.take();
  const processSlot = os.slots.take();
  const cores = [os.core];
  const fill = function* (filling: Filling): Steps<number[]> {
    const given = yield* filling.give({ handle: endpoint, rights: Right.SEND });
    yield* filling.makeMemory(memory, GIVEN_MEMORY_BITS);
    return [given];
  };
  const sampler = new Sampler(budgetNs);
  while (sampler.next()) {
    const { turns, empty } = sampler;
    words[0] = Method.DEBUG_CLOCK;
    yield sys.call(debug, 1);
    const startNs = words[0];
    if (empty) {
      for (let i = 0; i < turns; i++) words[0] = i;
    } else {
      for (let i = 0; i < turns; i++) {
        yield* untyped.retype(sys, memory, ObjectType.CNODE, CNODE_BITS, 1, space, nodeSlot);
        yield* untyped.retype(sys, memory, ObjectType.THREAD, 0, 1, space, threadSlot);
        yield* untyped.retype(sys, memory, ObjectType.PROCESS, 0, 1, space, processSlot);
        const { handle: node } = yield* cnode.inspect(sys, space, nodeSlot);
        const { handle: first } = yield* cnode.inspect(sys, space, threadSlot);
        const { handle: child } = yield* cnode.inspect(sys, space, processSlot);
        const parts = { space: node, thread: first, process: child };
        yield* startProcess(sys, parts, { image, name: "bench-child", threads: 1, cores, priority, fill });
        if ((yield sys.recv(endpoint)) !== 0) throw new Error("the process's call did not come");
        yield* process.kill(sys, child);
        yield* cnode.revoke(sys, space, memory);
      }
    }
    words[0] = Method.DEBUG_CLOCK;
    yield sys.call(debug, 1);
    sampler.record(words[0] - startNs);
  }
  yield* reportSamples(os, sampler);
  return 0;
}
