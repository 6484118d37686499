/**
 * Rows `transfer.window` and `transfer.single-slot`: a call that carries one capability, and beside it the
 * same call without, to the same server on the same core.
 *
 * The capability is a notification's, copied on the way; the server, a process of its own, receives it into
 * one slot. With the window that is the next of 1,024 slots each time; when all are full they are emptied
 * between batches, by the client's revoking what it gave, and nothing of that is measured. With the single
 * slot the server deletes what came before it answers, and the next call finds that slot: the deletion and
 * whatever wait for the slot there is are part of the time.
 *
 * Arguments: nanoseconds, 1 for the single slot.
 */
import { Method, type Sys } from "@capos/abi";
import { cnode, process, spawnProcess, start } from "@capos/libos";
import { numbers, report } from "./report.js";
import { Sampler } from "./sampler.js";

const WORDS = 4;
const WINDOW = 1024;
const SERVER_CNODE_BITS = 11;

export default function* main(sys: Sys): Generator<number, number, number> {
  const os = start(sys);
  const { words } = sys;
  const { debug, cnode: space } = os.environment;

  if (os.handed.length > 0) {
    const [endpoint] = os.handed as [number];
    const isSingle = os.args[0] === "1";
    const first = os.slots.take(isSingle ? 1 : WINDOW);
    let slot = first;
    sys.receiveInto(slot, 1);
    let answer = yield sys.recv(endpoint);
    while (answer >= 0) {
      if (sys.arrived() === 1) {
        if (isSingle) {
          words[0] = Method.CNODE_DELETE;
          words[1] = slot;
          if ((yield sys.call(space, 2)) < 0) throw new Error("a capability was not deleted");
        } else if (++slot === first + WINDOW) slot = first;
      }
      sys.receiveInto(slot, 1);
      answer = yield sys.replyRecv(endpoint, WORDS);
    }
    return 1;
  }

  const [budgetNs, single] = numbers(os) as [number, number];
  const endpoint = yield* os.endpoint();
  const carried = yield* os.notification();
  const server = yield* spawnProcess(os, {
    image: os.environment.image,
    name: "bench-receiver",
    args: [String(single)],
    gifts: [{ handle: endpoint }],
    cnodeBits: SERVER_CNODE_BITS,
  });
  const plain = new Sampler(budgetNs / 2);
  const carrying = new Sampler(budgetNs / 2, { maxBatch: WINDOW });
  let sampler = plain;
  let used = 0;
  let answers = 0;
  // A batch of the one, a batch of the other, until both have enough.
  for (;;) {
    if (sampler.next()) {
      const { turns, empty } = sampler;
      const carries = sampler === carrying && !empty;
      if (carries && single !== 1 && used + turns > WINDOW) {
        yield* cnode.revoke(sys, space, carried);
        used = 0;
      }
      words[0] = Method.DEBUG_CLOCK;
      yield sys.call(debug, 1);
      const startNs = words[0];
      if (empty) {
        for (let i = 0; i < turns; i++) words[0] = i;
      } else if (carries) {
        used += turns;
        for (let i = 0; i < turns; i++) {
          words[0] = i;
          answers |= yield sys.call(endpoint, WORDS, carried);
        }
      } else {
        for (let i = 0; i < turns; i++) {
          words[0] = i;
          answers |= yield sys.call(endpoint, WORDS);
        }
      }
      words[0] = Method.DEBUG_CLOCK;
      yield sys.call(debug, 1);
      sampler.record(words[0] - startNs);
      if (answers < 0) throw new Error(`a call was answered ${answers}`);
    } else if (!(sampler === plain ? carrying : plain).next()) break;
    sampler = sampler === plain ? carrying : plain;
  }
  yield* process.kill(sys, server.process);
  const { samples, overhead, operationsPerSample } = carrying;
  yield* report(os, {
    samples,
    overhead,
    operationsPerSample,
    plainSamples: plain.samples,
    plainOverhead: plain.overhead,
  });
  return 0;
}
