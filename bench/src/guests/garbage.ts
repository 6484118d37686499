/**
 * What same-core calls leave to the garbage collector: how much the heap grows by one, and when a long
 * run of them began and ended, for the host to see which collections fell into it.
 *
 * Arguments: the calls of the long run.
 */
import { Method, type Sys } from "@capos/abi";
import { endThread, spawnThread, start } from "@capos/libos";
import { numbers, report } from "./report.js";

const SERVER = 1;
const WORDS = 4;
const WARM_UP_CALLS = 100_000;
/** Few enough that most batches fall between two scavenges. */
const BATCH_CALLS = 2000;
const BATCHES = 201;

export default function* main(sys: Sys): Generator<number, number, number> {
  const os = start(sys);
  const { words } = sys;

  if (os.threadIndex === SERVER) {
    const [endpoint] = os.handed as [number];
    let answer = yield sys.recv(endpoint);
    while (answer >= 0) answer = yield sys.replyRecv(endpoint, WORDS);
    return 1;
  }

  const [longRun] = numbers(os) as [number];
  const endpoint = yield* os.endpoint();
  const server = yield* spawnThread(os, { index: SERVER, handed: [endpoint] });
  const { debug } = os.environment;
  const growth: number[] = [];
  const emptyGrowth: number[] = [];
  // The first run warms up, the last is the long one; of the others every second is empty.
  for (let run = 0; run < 2 * BATCHES + 2; run++) {
    const isLong = run === 2 * BATCHES + 1;
    const isBatch = run > 0 && !isLong;
    const isEmpty = isBatch && run % 2 === 0;
    const calls = isEmpty ? 0 : isLong ? longRun : isBatch ? BATCH_CALLS : WARM_UP_CALLS;
    const measure = isBatch ? Method.DEBUG_HEAP : Method.DEBUG_CLOCK;
    words[0] = measure;
    yield sys.call(debug, 1);
    const before = words[0];
    for (let i = 0; i < calls; i++) {
      words[0] = i;
      if ((yield sys.call(endpoint, WORDS)) < 0) throw new Error("a call failed");
    }
    words[0] = measure;
    yield sys.call(debug, 1);
    const after = words[0];
    if (isLong) {
      yield* endThread(os, server);
      yield* report(os, { growth, emptyGrowth, batchCalls: BATCH_CALLS, startNs: before, endNs: after });
    } else if (isBatch) (isEmpty ? emptyGrowth : growth).push(after - before);
  }
  return 0;
}
