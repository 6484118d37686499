/**
 * Row `thread.create-destroy`: the whole life of a thread on its maker's core. It is made, given a
 * process and a core, started; it evaluates the image and says that it runs by a call; then it is
 * destroyed in that call and its capability deleted.
 *
 * A thread is 1 KiB of untyped memory. When 8 have been made the memory is revoked and cleared between
 * batches, and nothing of that is measured.
 *
 * Arguments: nanoseconds.
 */
import { Method, ObjectType, type Sys } from "@capos/abi";
import { cnode, start, thread, untyped } from "@capos/libos";
import { numbers, reportSamples } from "./report.js";
import { nextSlice, samplerOf } from "./sampler.js";
import { Scratch } from "./scratch.js";

const THREAD_BYTES = 1024;
const MEMORY_BITS = 14;
/** A slot's next tenant has to wait for a grace period, which is over long before its turn comes again. */
const SLOTS = 512;

export default function* main(sys: Sys): Generator<number, number, number> {
  const { words } = sys;
  // Started with one word, the endpoint: a thread of the measured kind.
  if (sys.startWords === 1) {
    yield sys.call(words[0], 0);
    return 1;
  }

  const os = start(sys);
  const [budgetNs] = numbers(os) as [number];
  const { debug, cnode: space, process, thread: self } = os.environment;
  const endpoint = yield* os.endpoint();
  const startWords = [endpoint];
  const { priority } = yield* thread.status(sys, self);
  const scratch = yield* Scratch.of(os, MEMORY_BITS);
  const memory = scratch.handle;
  const room = scratch.roomFor(THREAD_BYTES);
  const firstSlot = os.slots.take(SLOTS);
  const sampler = samplerOf(os, budgetNs, { maxBatch: room });
  let made = 0;
  // Before the memory was used once there is twice the room, of which more than half is used then.
  let left = 2 * room;
  while (sampler.next() || (yield* nextSlice(os, sampler))) {
    const { turns, empty } = sampler;
    if (!empty && turns > left) {
      yield* scratch.empty();
      left = room;
    }
    if (!empty) left -= turns;
    words[0] = Method.DEBUG_CLOCK;
    yield sys.call(debug, 1);
    const startNs = words[0];
    if (empty) {
      for (let i = 0; i < turns; i++) words[0] = i;
    } else {
      for (let i = 0; i < turns; i++) {
        const slot = firstSlot + (made++ % SLOTS);
        yield* untyped.retype(sys, memory, ObjectType.THREAD, 0, 1, space, slot);
        const { handle } = yield* cnode.inspect(sys, space, slot);
        yield* thread.configure(sys, handle, process, os.core, priority);
        yield* thread.start(sys, handle, startWords);
        if ((yield sys.recv(endpoint)) !== 0) throw new Error("the thread's call did not come");
        yield* thread.destroy(sys, handle);
        yield* cnode.delete(sys, space, slot);
      }
    }
    words[0] = Method.DEBUG_CLOCK;
    yield sys.call(debug, 1);
    sampler.record(words[0] - startNs);
  }
  yield* reportSamples(os, sampler);
  return 0;
}
