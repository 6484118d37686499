/**
 * Row `fault`: a load that is refused, told to a handler on the same core, and the handler's answer; beside it a plain call to the
 * same handler. The error that the load throws is part of it; the handler maps nothing, and the load is not tried again.
 *
 * Arguments: nanoseconds.
 */
import { Method, Right, type Sys } from "@capos/abi";
import { endThread, process, spawnThread, start } from "@capos/libos";
import { BASE, makeOwnSpace } from "./own-space.js";
import { numbers, report } from "./report.js";
import { Sampler } from "./sampler.js";

const WORDS = 4;

export default function* main(sys: Sys): Generator<number, number, number> {
  const os = start(sys);
  const { words } = sys;
  const { debug } = os.environment;
  if (os.handed.length > 0) {
    const [endpoint] = os.handed as [number];
    let answer = yield sys.recv(endpoint);
    while (answer >= 0) answer = yield sys.replyRecv(endpoint, WORDS);
    return 1;
  }
  const [budgetNs] = numbers(os) as [number];
  const endpoint = yield* os.endpoint();
  yield* makeOwnSpace(os);
  yield* process.faults(sys, os.environment.process, yield* os.copy(endpoint, Right.SEND));
  const handler = yield* spawnThread(os, { core: os.core, handed: [endpoint] });
  const plain = new Sampler(budgetNs / 2);
  const faulting = new Sampler(budgetNs / 2);
  let sampler = plain;
  let answers = 0;
  // A batch of the one, a batch of the other, until both have enough.
  for (;;) {
    if (sampler.next()) {
      const { turns, empty } = sampler;
      words[0] = Method.DEBUG_CLOCK;
      yield sys.call(debug, 1);
      const startNs = words[0];
      if (empty) for (let i = 0; i < turns; i++) words[0] = i;
      else if (sampler === faulting) {
        for (let i = 0; i < turns; i++) {
          try {
            sys.load32(BASE);
          } catch {
            answers |= yield sys.raiseFault();
            sys.endFault();
          }
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
    } else if (!(sampler === plain ? faulting : plain).next()) break;
    sampler = sampler === plain ? faulting : plain;
  }
  yield* endThread(os, handler);
  const { samples, overhead, operationsPerSample } = faulting;
  const figures = { samples, overhead, operationsPerSample };
  yield* report(os, { ...figures, plainSamples: plain.samples, plainOverhead: plain.overhead });
  return 0;
}
