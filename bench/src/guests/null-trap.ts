/**
 * Row `null-trap`: into the kernel and out again.
 *
 * Arguments: nanoseconds.
 */
import { Method, type Sys } from "@capos/abi";
import { start } from "@capos/libos";
import { numbers, reportSamples } from "./report.js";
import { nextSlice, samplerOf } from "./sampler.js";

export default function* main(sys: Sys): Generator<number, number, number> {
  const os = start(sys);
  const { words } = sys;
  const [budgetNs] = numbers(os) as [number];
  const { debug } = os.environment;
  const sampler = samplerOf(os, budgetNs);
  let answers = 0;
  while (sampler.next() || (yield* nextSlice(os, sampler))) {
    const { turns, empty } = sampler;
    words[0] = Method.DEBUG_CLOCK;
    yield sys.call(debug, 1);
    const startNs = words[0];
    if (empty) {
      for (let i = 0; i < turns; i++) words[0] = i;
    } else {
      for (let i = 0; i < turns; i++) {
        words[0] = i;
        answers |= yield sys.nothing();
      }
    }
    words[0] = Method.DEBUG_CLOCK;
    yield sys.call(debug, 1);
    sampler.record(words[0] - startNs);
    if (answers !== 0) throw new Error(`a null trap was answered ${answers}`);
  }
  yield* reportSamples(os, sampler);
  return 0;
}
