/**
 * Rows `grace-period.idle`, `.guests` and `.traps`: from asking for a grace period until it is over, by what
 * all other cores do meanwhile.
 *
 * Idle, they are halted: before each batch it is made sure that none has been woken since the last. In
 * guests, each runs a loop that enters the kernel only when its core is wanted. In traps, each enters the
 * kernel over and over.
 *
 * Arguments: nanoseconds, what the others do.
 */
import { Method, type Sys } from "@capos/abi";
import { endThread, type SpawnedThread, spawnThread, start } from "@capos/libos";
import { Others } from "./others.js";
import { numbers, reportSamples } from "./report.js";
import { Sampler } from "./sampler.js";

/** Word of the answer to `DEBUG_CORE`. */
const HALTS = 3;
/** An idle core polls for 100 µs, then halts. */
const SETTLE_NS = 500_000;

export default function* main(sys: Sys): Generator<number, number, number> {
  const os = start(sys);
  const { words } = sys;
  if (os.threadIndex > 0 && os.handed[0] === Others.TRAPS) for (;;) yield sys.nothing();
  if (os.threadIndex > 0) for (let i = 0; ; i = (i + 1) | 0) words[0] = i;

  const [budgetNs, others] = numbers(os) as [number, Others];
  const { debug } = os.environment;
  const threads: SpawnedThread[] = [];
  for (let i = 1; i < os.cores && others !== Others.IDLE; i++) {
    threads.push(yield* spawnThread(os, { core: (os.core + i) % os.cores, slots: 1, handed: [others] }));
  }
  const sampler = new Sampler(budgetNs);
  let haltsBefore = -1;
  let answers = 0;
  while (sampler.next()) {
    const { turns, empty } = sampler;
    for (let settledNs = 0; others === Others.IDLE; ) {
      let halts = 0;
      for (let i = 1; i < os.cores; i++) {
        words[0] = Method.DEBUG_CORE;
        words[1] = (os.core + i) % os.cores;
        yield sys.call(debug, 2);
        halts += words[HALTS];
      }
      words[0] = Method.DEBUG_CLOCK;
      yield sys.call(debug, 1);
      if (halts === haltsBefore && words[0] >= settledNs) break;
      // Somebody was woken, and will halt again: all of them have to settle.
      if (halts !== haltsBefore) settledNs = words[0] + SETTLE_NS;
      haltsBefore = halts;
    }
    words[0] = Method.DEBUG_CLOCK;
    yield sys.call(debug, 1);
    const startNs = words[0];
    if (empty) {
      for (let i = 0; i < turns; i++) words[0] = i;
    } else {
      for (let i = 0; i < turns; i++) {
        words[0] = Method.DEBUG_GRACE_PERIOD;
        answers |= yield sys.call(debug, 1);
      }
    }
    words[0] = Method.DEBUG_CLOCK;
    yield sys.call(debug, 1);
    sampler.record(words[0] - startNs);
    if (answers < 0) throw new Error(`a grace period was answered ${answers}`);
  }
  while (threads.length > 0) yield* endThread(os, threads.pop()!);
  yield* reportSamples(os, sampler);
  return 0;
}
