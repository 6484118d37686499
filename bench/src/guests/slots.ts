/**
 * Rows `copy`, `mint`, `delete` and `move`: one operation on a slot, as the bare invocation.
 *
 * Each uses the next slot of a window, so that none waits for a slot to be free again. A full window is
 * emptied between batches, by revoking what was copied, and nothing of that is measured. `copy` and `mint`
 * fill the slots of a CNode of 4,096 with children of one endpoint capability; `delete` empties them again,
 * the oldest first; `move` moves one capability on and on through 512 slots of the thread's own CSpace.
 *
 * Arguments: nanoseconds, the method.
 */
import { Method, ObjectType, Right, type Sys } from "@capos/abi";
import { cnode, debug as debugObject, start } from "@capos/libos";
import { numbers, reportSamples } from "./report.js";
import { Sampler } from "./sampler.js";

const NODE_BITS = 12;
const MOVE_SLOTS = 512;
const BADGE = 7;
/** Words of the longest of the invocations: each gets that many, and reads what it knows. */
const COUNT = 5;

export default function* main(sys: Sys): Generator<number, number, number> {
  const os = start(sys);
  const { words } = sys;
  const [budgetNs, method] = numbers(os) as [number, Method];
  const { debug, cnode: space } = os.environment;
  const moves = method === Method.CNODE_MOVE;
  const deletes = method === Method.CNODE_DELETE;
  const source = yield* os.endpoint();
  const node = moves ? space : yield* os.make(ObjectType.CNODE, NODE_BITS);
  // A CNode's slot 0 never holds a capability.
  const first = moves ? os.slots.take(MOVE_SLOTS) : 1;
  const end = moves ? first + MOVE_SLOTS : 2 ** NODE_BITS;
  let moved = moves ? yield* os.copy(source, Right.ALL) : source;
  const sampler = new Sampler(budgetNs, { maxBatch: end - first });
  let slot = end;
  let answers = 0;
  while (sampler.next()) {
    const { turns, empty } = sampler;
    if (!empty && slot + turns > end) {
      if (moves) yield* debugObject.gracePeriod(sys, debug);
      else yield* cnode.revoke(sys, space, source);
      if (deletes)
        for (slot = first; slot < end; slot++) yield* cnode.copy(sys, node, slot, source, Right.ALL);
      slot = first;
    }
    words[0] = Method.DEBUG_CLOCK;
    yield sys.call(debug, 1);
    const startNs = words[0];
    if (empty) {
      for (let i = 0; i < turns; i++) {
        words[0] = method;
        words[1] = slot + i;
        words[2] = source;
        words[3] = Right.ALL;
        words[4] = BADGE;
      }
    } else {
      words[0] = moved;
      for (let i = 0; i < turns; i++) {
        // The answer to a move is where it is now.
        words[2] = moves ? words[0] : source;
        words[0] = method;
        words[1] = slot++;
        words[3] = Right.ALL;
        words[4] = BADGE;
        answers |= yield sys.call(node, COUNT);
      }
      moved = words[0];
    }
    words[0] = Method.DEBUG_CLOCK;
    yield sys.call(debug, 1);
    sampler.record(words[0] - startNs);
    if (answers < 0) throw new Error(`method ${method} was answered ${answers}`);
  }
  yield* reportSamples(os, sampler);
  return 0;
}
