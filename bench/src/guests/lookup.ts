/**
 * Rows `lookup` and `lookup.fresh`: what it takes to find out what a handle may do.
 *
 * The measured trap is a receive with a capability that has no right to receive: it fails right after the
 * lookup (live slot, generation, type, right), having done nothing else. What it takes beyond a trap that
 * does nothing is the lookup. The first row uses one handle again and again, which the kernel remembers; the
 * second takes turns between two, so that each is decoded anew.
 *
 * Arguments: nanoseconds, 1 to alternate.
 */
import { Err, Method, Right, type Sys } from "@capos/abi";
import { start } from "@capos/libos";
import { Differences } from "./differences.js";
import { numbers, report } from "./report.js";

export default function* main(sys: Sys): Generator<number, number, number> {
  const os = start(sys);
  const { words } = sys;
  const [budgetNs, alternates] = numbers(os) as [number, number];
  const { debug } = os.environment;
  const endpoint = yield* os.endpoint();
  const one = yield* os.copy(endpoint, Right.SEND);
  const other = alternates === 1 ? yield* os.copy(endpoint, Right.SEND) : one;
  const differences = new Differences(budgetNs);
  let wrong = 0;
  let goesOn = true;
  while (goesOn) {
    // Two traps a turn, of either kind.
    const { turns, reference } = differences;
    words[0] = Method.DEBUG_CLOCK;
    yield sys.call(debug, 1);
    const startNs = words[0];
    if (reference) {
      for (let i = 0; i < turns; i++) {
        wrong |= yield sys.nothing();
        wrong |= yield sys.nothing();
      }
    } else {
      for (let i = 0; i < turns; i++) {
        wrong |= (yield sys.recv(one)) - Err.DENIED;
        wrong |= (yield sys.recv(other)) - Err.DENIED;
      }
    }
    words[0] = Method.DEBUG_CLOCK;
    yield sys.call(debug, 1);
    goesOn = differences.record(words[0] - startNs);
    if (wrong !== 0) throw new Error("a trap was not answered as it must be");
  }
  const { operationsPerSample } = differences;
  const halved = (list: readonly number[]): number[] => list.map((ns) => ns / 2);
  yield* report(os, {
    samples: halved(differences.samples),
    control: halved(differences.control),
    operationsPerSample: 2 * operationsPerSample,
  });
  return 0;
}
