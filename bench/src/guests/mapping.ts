/**
 * Rows `map.own.N` and `map.shared.N`: a frame of N pages mapped and unmapped, by bare invocations. In an address space that this core
 * alone has used nobody waits; in one that another core has used too each unmapping waits for a grace period, while that
 * core is idle.
 *
 * Arguments: nanoseconds, pages, 1 for the shared one.
 */
import { Method, ObjectType, PAGE_BITS, Right, type Sys } from "@capos/abi";
import { endThread, spawnThread, start } from "@capos/libos";
import { BASE, makeOwnSpace, NEXT } from "./own-space.js";
import { numbers, report } from "./report.js";
import { Sampler } from "./sampler.js";

export default function* main(sys: Sys): Generator<number, number, number> {
  const os = start(sys);
  const { words } = sys;
  const { debug } = os.environment;
  if (os.threadIndex > 0) {
    // What it looks for is not there; but its core has looked.
    try {
      sys.load8(BASE);
    } catch {
      return yield sys.notify(os.handed[0]);
    }
    return 1;
  }
  const [budgetNs, pages, shared] = numbers(os) as [number, number, number];
  const space = yield* makeOwnSpace(os);
  const bits = PAGE_BITS + Math.log2(pages);
  const memory = yield* os.make(ObjectType.FRAME, bits);
  // A frame of 2 MiB has an entry in the place of a table: where none is.
  const at = bits < 21 ? BASE : NEXT + 2 ** 21;
  if (shared === 1) {
    const looked = yield* os.notification();
    const other = yield* spawnThread(os, { core: (os.core + 1) % os.cores, handed: [looked] });
    yield sys.wait(looked);
    yield* endThread(os, other);
  }
  const sampler = new Sampler(budgetNs);
  let answers = 0;
  while (sampler.next()) {
    const { turns, empty } = sampler;
    words[0] = Method.DEBUG_CLOCK;
    yield sys.call(debug, 1);
    const startNs = words[0];
    if (empty) for (let i = 0; i < turns; i++) words[0] = i;
    else {
      for (let i = 0; i < turns; i++) {
        words[0] = Method.FRAME_MAP;
        words[1] = space;
        words[2] = at;
        words[3] = Right.READ | Right.WRITE;
        answers |= yield sys.call(memory, 4);
        words[0] = Method.FRAME_UNMAP;
        answers |= yield sys.call(memory, 1);
      }
    }
    words[0] = Method.DEBUG_CLOCK;
    yield sys.call(debug, 1);
    sampler.record(words[0] - startNs);
    if (answers < 0) throw new Error(`an invocation was answered ${answers}`);
  }
  const { samples, overhead, operationsPerSample } = sampler;
  yield* report(os, { samples, overhead, operationsPerSample });
  return 0;
}
