/**
 * Rows `load`, `store` and `copy.64KiB`: in the guest's address space, and beside it the same in an array of its own.
 *
 * Loads and stores are of 32 bits, each at the next of 1,024 places of one page, which the core's buffer has; the array's
 * are behind a function call, as those are. The copy is of 16 pages to 16 others, by one call, with the pages in the buffer; beside it is
 * `slice` of an array of as many bytes.
 *
 * Arguments: nanoseconds, an `Access`.
 */
import { Method, ObjectType, Right, type Sys } from "@capos/abi";
import { frame, start } from "@capos/libos";
import { Access } from "./accesses.js";
import { BASE, makeOwnSpace } from "./own-space.js";
import { numbers, report } from "./report.js";
import { Sampler } from "./sampler.js";

const COPIED = 65_536;
const MASK = 1023;

const array: number[] = Array(MASK + 1).fill(0);
/** 64 KiB of numbers that are no integers, which V8 keeps as they are. */
const numbersToCopy: number[] = Array(COPIED / 8).fill(0.5);
const load = (i: number): number => array[i & MASK];
const store = (i: number, value: number): void => {
  array[i & MASK] = value;
};

export default function* main(sys: Sys): Generator<number, number, number> {
  const os = start(sys);
  const { words } = sys;
  const { debug } = os.environment;
  const [budgetNs, kind] = numbers(os) as [number, Access];
  const space = yield* makeOwnSpace(os);
  const memory = yield* os.make(ObjectType.FRAME, 17);
  yield* frame.map(sys, memory, space, BASE, Right.READ | Right.WRITE);
  const plain = new Sampler(budgetNs / 2);
  const own = new Sampler(budgetNs / 2);
  let sampler = plain;
  let sum = 0;
  // A batch of the one, a batch of the other, until both have enough.
  for (;;) {
    if (sampler.next()) {
      const { turns, empty } = sampler;
      const isOwn = sampler === own;
      words[0] = Method.DEBUG_CLOCK;
      yield sys.call(debug, 1);
      const startNs = words[0];
      if (empty) for (let i = 0; i < turns; i++) sum += i;
      else if (kind === Access.LOAD) {
        if (isOwn) for (let i = 0; i < turns; i++) sum += sys.load32(BASE + (i & MASK) * 4);
        else for (let i = 0; i < turns; i++) sum += load(i);
      } else if (kind === Access.STORE) {
        if (isOwn) for (let i = 0; i < turns; i++) sys.store32(BASE + (i & MASK) * 4, i);
        else for (let i = 0; i < turns; i++) store(i, i);
      } else if (isOwn) for (let i = 0; i < turns; i++) sys.copy(BASE + COPIED, BASE, COPIED);
      else for (let i = 0; i < turns; i++) sum += numbersToCopy.slice().length;
      words[0] = Method.DEBUG_CLOCK;
      yield sys.call(debug, 1);
      sampler.record(words[0] - startNs);
    } else if (!(sampler === plain ? own : plain).next()) break;
    sampler = sampler === plain ? own : plain;
  }
  const { samples, overhead, operationsPerSample } = own;
  const figures = { samples, overhead, operationsPerSample };
  yield* report(os, { ...figures, plainSamples: plain.samples, plainOverhead: plain.overhead });
  return sum < 0 ? 1 : 0;
}
