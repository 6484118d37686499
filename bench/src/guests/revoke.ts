/**
 * Rows `revoke.by-descendants.N` and `revoke.chain.N`: one revoke that ends N capabilities, while no other
 * core does anything.
 *
 * Flat, they are N copies of one endpoint capability in the slots of a CNode. As a chain they are a copy,
 * a copy of that copy and so on, in the thread's own CSpace. They are made anew before each revoke, which is
 * not measured. Where one takes too little to be timed alone, so many are in a row, each of a copy of the
 * endpoint's with N descendants of its own.
 *
 * Arguments: nanoseconds, descendants, 1 for the chain, revokes in a row.
 */
import { Method, ObjectType, Right, type Sys } from "@capos/abi";
import { start } from "@capos/libos";
import { numbers, reportSamples } from "./report.js";
import { Trials } from "./trials.js";

export default function* main(sys: Sys): Generator<number, number, number> {
  const os = start(sys);
  const { words } = sys;
  const [budgetNs, descendants, chain, row] = numbers(os) as [number, number, number, number];
  const { debug, cnode: space } = os.environment;
  const isChain = chain === 1;
  const endpoint = yield* os.endpoint();
  const roots: number[] = [];
  while (roots.length < row) roots.push(yield* os.copy(endpoint, Right.ALL));
  // A CNode's slot 0 never holds a capability.
  const nodeBits = Math.ceil(Math.log2(row * descendants + 1));
  const node = isChain ? space : yield* os.make(ObjectType.CNODE, nodeBits);
  const first = isChain ? os.slots.take(descendants) : 1;
  const trials = new Trials(budgetNs, { operations: row });
  let answers = 0;
  let goesOn = true;
  while (goesOn) {
    let slot = first;
    for (const root of roots) {
      words[0] = root;
      for (let i = 0; i < descendants; i++) {
        // The answer to a copy is its handle.
        words[2] = isChain ? words[0] : root;
        words[0] = Method.CNODE_COPY;
        words[1] = slot++;
        words[3] = Right.ALL;
        answers |= yield sys.call(node, 4);
      }
    }
    words[0] = Method.DEBUG_CLOCK;
    yield sys.call(debug, 1);
    words[0] = Method.DEBUG_CLOCK;
    yield sys.call(debug, 1);
    const startNs = words[0];
    words[0] = Method.DEBUG_CLOCK;
    yield sys.call(debug, 1);
    const beforeNs = words[0];
    for (let i = 0; i < row; i++) {
      words[0] = Method.CNODE_REVOKE;
      words[1] = roots[i];
      answers |= yield sys.call(space, 2);
    }
    words[0] = Method.DEBUG_CLOCK;
    yield sys.call(debug, 1);
    goesOn = trials.record(startNs, beforeNs, words[0]);
    if (answers < 0) throw new Error(`a copy or a revoke was answered ${answers}`);
  }
  yield* reportSamples(os, trials);
  return 0;
}
