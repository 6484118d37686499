/**
 * Rows `revoke.by-holders.N`: one revoke that ends 1,000 capabilities which processes on N cores hold.
 *
 * They are copies of one endpoint capability, as many in the CSpace of each of N processes. Each process has
 * a thread on a core of its own that enters the kernel over and over; the first of these cores is the
 * revoker's own, where that thread has a lower priority. The copies are made anew before each revoke, which
 * is not measured.
 *
 * Arguments: nanoseconds, processes.
 */
import { Method, Right, type Sys } from "@capos/abi";
import { process, type SpawnedProcess, spawnProcess, start } from "@capos/libos";
import { numbers, reportSamples } from "./report.js";
import { Trials } from "./trials.js";

const DESCENDANTS = 1000;
/** Below the revoker's, so that it runs only while the revoker waits. */
const HOLDER_PRIORITY = 10;
/** Room for all descendants in the slots from `FIRST_SLOT` on. What the process is given is below it. */
const HOLDER_CNODE_BITS = 11;
const FIRST_SLOT = 1024;
/** What a holder is handed: that it is one. */
const IS_HOLDER = "holder";

export default function* main(sys: Sys): Generator<number, number, number> {
  const os = start(sys);
  const { words } = sys;
  if (os.args[0] === IS_HOLDER) for (;;) yield sys.nothing();

  const [budgetNs, count] = numbers(os) as [number, number];
  const { debug, cnode: space } = os.environment;
  const root = yield* os.endpoint();
  const holders: SpawnedProcess[] = [];
  while (holders.length < count) {
    const holder = yield* spawnProcess(os, {
      image: os.environment.image,
      name: "bench-holder",
      args: [IS_HOLDER],
      core: (os.core + holders.length) % os.cores,
      priority: HOLDER_PRIORITY,
      cnodeBits: HOLDER_CNODE_BITS,
    });
    holders.push(holder);
  }
  const nodes = holders.map((holder) => holder.cnode);
  const trials = new Trials(budgetNs);
  let answers = 0;
  let goesOn = true;
  while (goesOn) {
    for (let i = 0; i < DESCENDANTS; i++) {
      words[0] = Method.CNODE_COPY;
      words[1] = FIRST_SLOT + i;
      words[2] = root;
      words[3] = Right.ALL;
      answers |= yield sys.call(nodes[i % count], 4);
    }
    words[0] = Method.DEBUG_CLOCK;
    yield sys.call(debug, 1);
    words[0] = Method.DEBUG_CLOCK;
    yield sys.call(debug, 1);
    const startNs = words[0];
    words[0] = Method.DEBUG_CLOCK;
    yield sys.call(debug, 1);
    const beforeNs = words[0];
    words[0] = Method.CNODE_REVOKE;
    words[1] = root;
    answers |= yield sys.call(space, 2);
    words[0] = Method.DEBUG_CLOCK;
    yield sys.call(debug, 1);
    goesOn = trials.record(startNs, beforeNs, words[0]);
    if (answers < 0) throw new Error(`a copy or a revoke was answered ${answers}`);
  }
  while (holders.length > 0) yield* process.kill(sys, holders.pop()!.process);
  yield* reportSamples(os, trials);
  return 0;
}
