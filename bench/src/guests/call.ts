/**
 * Rows `call.same-core`, `call.words`, `call.cross-core` and `call.cross-core.busy`: round trips to a
 * server that answers at once.
 *
 * Arguments: nanoseconds, message words, the server's core, 1 for a third thread that keeps that core busy.
 */
import { Method, type Sys } from "@capos/abi";
import { endThread, type SpawnedThread, type Steps, spawnThread, start } from "@capos/libos";
import { numbers, reportSamples } from "./report.js";
import { nextSlice, samplerOf } from "./sampler.js";

const SERVER = 1;
const BUSY = 2;
/** Below the server, so that it makes way for each call. */
const BUSY_PRIORITY = 10;

export default function* main(sys: Sys): Generator<number, number, number> {
  const os = start(sys);
  const { words } = sys;

  if (os.threadIndex === SERVER) {
    const endpoint = os.handed[0];
    // A small integer, as it is for the client: what was handed over comes as a double.
    const count = os.handed[1] | 0;
    let answer = yield sys.recv(endpoint);
    while (answer >= 0) answer = yield sys.replyRecv(endpoint, count);
    return 1;
  }
  if (os.threadIndex === BUSY) for (let i = 0; ; i = (i + 1) | 0) words[0] = i;

  const [budgetNs, count, serverCore, busy] = numbers(os) as [number, number, number, number];
  const endpoint = yield* os.endpoint();
  const helpers: SpawnedThread[] = [];
  helpers.push(yield* spawnThread(os, { index: SERVER, core: serverCore, handed: [endpoint, count] }));
  function* keepBusy(): Steps<void> {
    if (busy === 1)
      helpers.push(yield* spawnThread(os, { index: BUSY, core: serverCore, priority: BUSY_PRIORITY }));
  }
  /** The third thread would keep its core from whoever else's turn it is. */
  function* restUntilNextSlice(): Steps<boolean> {
    if (busy === 1) yield* endThread(os, helpers.pop()!);
    const goesOn = yield* nextSlice(os, sampler);
    if (goesOn) yield* keepBusy();
    return goesOn;
  }
  yield* keepBusy();

  const { debug } = os.environment;
  const sampler = samplerOf(os, budgetNs);
  let answers = 0;
  while (sampler.next() || (yield* restUntilNextSlice())) {
    const { turns, empty } = sampler;
    words[0] = Method.DEBUG_CLOCK;
    yield sys.call(debug, 1);
    const startNs = words[0];
    if (empty) {
      for (let i = 0; i < turns; i++) words[0] = i;
    } else {
      for (let i = 0; i < turns; i++) {
        words[0] = i;
        answers |= yield sys.call(endpoint, count);
      }
    }
    words[0] = Method.DEBUG_CLOCK;
    yield sys.call(debug, 1);
    sampler.record(words[0] - startNs);
    // A call that fails at once would be a very fast one.
    if (answers < 0) throw new Error(`a call was answered ${answers}`);
  }

  while (helpers.length > 0) yield* endThread(os, helpers.pop()!);
  yield* reportSamples(os, sampler);
  return 0;
}
