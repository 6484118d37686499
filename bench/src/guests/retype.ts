/**
 * Rows `retype` and `retype.batch`: endpoints made from untyped memory, one or 64 with one invocation.
 *
 * They go into the slots of a CNode of 8,192, from 1 MiB of memory. When slots or memory are used up, what
 * was made is revoked and the memory cleared, between batches, and nothing of that is measured.
 *
 * Arguments: nanoseconds, objects an invocation.
 */
import { Method, ObjectType, type Sys } from "@capos/abi";
import { start } from "@capos/libos";
import { numbers, reportSamples } from "./report.js";
import { Sampler } from "./sampler.js";
import { Scratch } from "./scratch.js";

const NODE_BITS = 13;
const MEMORY_BITS = 20;
const ENDPOINT_BYTES = 128;

export default function* main(sys: Sys): Generator<number, number, number> {
  const os = start(sys);
  const { words } = sys;
  const [budgetNs, count] = numbers(os) as [number, number];
  const { debug } = os.environment;
  const node = yield* os.make(ObjectType.CNODE, NODE_BITS);
  const scratch = yield* Scratch.of(os, MEMORY_BITS);
  const memory = scratch.handle;
  // What there is after the memory was used once: less than there are slots.
  const room = scratch.roomFor(ENDPOINT_BYTES);
  const sampler = new Sampler(budgetNs, { operationsPerTurn: count, maxBatch: Math.floor(room / count / 2) });
  let made = 0;
  let answers = 0;
  // The first time through all of it is used: more than half, less a batch.
  let limit = 2 * room - count;
  while (sampler.next()) {
    const { turns, empty } = sampler;
    if (!empty && made + turns * count > limit) {
      yield* scratch.empty();
      made = 0;
      limit = room;
    }
    words[0] = Method.DEBUG_CLOCK;
    yield sys.call(debug, 1);
    const startNs = words[0];
    if (empty) {
      for (let i = 0; i < turns; i++) {
        words[0] = Method.UNTYPED_RETYPE;
        words[1] = ObjectType.ENDPOINT;
        words[2] = 0;
        words[3] = count;
        words[4] = node;
        words[5] = i;
      }
    } else {
      for (let i = 0; i < turns; i++) {
        words[0] = Method.UNTYPED_RETYPE;
        words[1] = ObjectType.ENDPOINT;
        words[2] = 0;
        words[3] = count;
        words[4] = node;
        words[5] = 1 + made;
        made += count;
        answers |= yield sys.call(memory, 6);
      }
    }
    words[0] = Method.DEBUG_CLOCK;
    yield sys.call(debug, 1);
    sampler.record(words[0] - startNs);
    if (answers !== 0) throw new Error(`a retype was answered ${answers}`);
  }
  yield* reportSamples(os, sampler);
  return 0;
}
