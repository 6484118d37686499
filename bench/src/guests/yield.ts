/**
 * Row `yield`: from one thread to the next of the same priority on the same core. A turn is two of
 * them, there and back.
 *
 * Arguments: nanoseconds.
 */
import { Method, type Sys } from "@capos/abi";
import { endThread, spawnThread, start } from "@capos/libos";
import { numbers, reportSamples } from "./report.js";
import { nextSlice, samplerOf } from "./sampler.js";

const OTHER = 1;

export default function* main(sys: Sys): Generator<number, number, number> {
  const os = start(sys);
  const { words } = sys;

  if (os.threadIndex === OTHER) for (;;) yield sys.yield();

  const [budgetNs] = numbers(os) as [number];
  const other = yield* spawnThread(os, { index: OTHER });
  const { debug } = os.environment;
  const sampler = samplerOf(os, budgetNs, { operationsPerTurn: 2 });
  let answers = 0;
  while (sampler.next() || (yield* nextSlice(os, sampler))) {
    const { turns, empty } = sampler;
    words[0] = Method.DEBUG_CLOCK;
    yield sys.call(debug, 1);
    const startNs = words[0];
    if (empty) {
      for (let i = 0; i < turns; i++) words[0] = i;
    } else {
      for (let i = 0; i < turns; i++) {
        words[0] = i;
        answers |= yield sys.yield();
      }
    }
    words[0] = Method.DEBUG_CLOCK;
    yield sys.call(debug, 1);
    sampler.record(words[0] - startNs);
    if (answers !== 0) throw new Error(`a yield was answered ${answers}`);
  }
  yield* endThread(os, other);
  yield* reportSamples(os, sampler);
  return 0;
}
