/**
 * Rows `notify.same-core` and `notify.cross-core`: from a signal to the thread that waited for it.
 *
 * Two threads signal each other in turn, each by a notification that the other waits for. A turn is two
 * signals and two waits; half of it is one way.
 *
 * Arguments: nanoseconds, the other thread's core.
 */
import { Method, type Sys } from "@capos/abi";
import { endThread, spawnThread, start } from "@capos/libos";
import { numbers, reportSamples } from "./report.js";
import { nextSlice, samplerOf } from "./sampler.js";

const OTHER = 1;

export default function* main(sys: Sys): Generator<number, number, number> {
  const os = start(sys);
  const { words } = sys;

  if (os.threadIndex === OTHER) {
    const [theirs, mine] = os.handed as [number, number];
    let answer = yield sys.wait(mine);
    while (answer >= 0) {
      yield sys.notify(theirs);
      answer = yield sys.wait(mine);
    }
    return 1;
  }

  const [budgetNs, otherCore] = numbers(os) as [number, number];
  const mine = yield* os.notification();
  const theirs = yield* os.notification();
  const other = yield* spawnThread(os, { index: OTHER, core: otherCore, handed: [mine, theirs] });
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
        answers |= yield sys.notify(theirs);
        answers |= yield sys.wait(mine);
      }
    }
    words[0] = Method.DEBUG_CLOCK;
    yield sys.call(debug, 1);
    sampler.record(words[0] - startNs);
    if (answers < 0) throw new Error(`a signal or a wait was answered ${answers}`);
  }
  yield* endThread(os, other);
  yield* reportSamples(os, sampler);
  return 0;
}
