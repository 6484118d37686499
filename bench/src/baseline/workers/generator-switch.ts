/**
 * Two bare generator switches: resume guest A, hand what it yields to guest B, hand that back. It is
 * the least that a kernel whose guests are generators can do for a call and its reply. No
 * `lockdown()` here: plain JavaScript.
 */
import { measureAllocation, watchCollections } from "../allocation.js";
import { emptyBatch, measureAndReport } from "../driver.js";

type Guest = Generator<number, number, number>;

function* guest(step: number): Guest {
  let value = 0;
  for (;;) value = ((yield value) + step) & 0xffff;
}

/** Reads `done` and `value` of each switch, as a kernel must. */
function roundTrips(a: Guest, b: Guest, count: number): number {
  let value = 0;
  for (let i = 0; i < count; i++) {
    const fromA = a.next(value);
    if (fromA.done) throw new Error("guest A ended");
    const fromB = b.next(fromA.value);
    if (fromB.done) throw new Error("guest B ended");
    value = fromB.value;
  }
  return value;
}

const a = guest(1);
const b = guest(2);
// A generator's first next() passes no value in.
a.next(0);
b.next(0);
const batch = (count: number) => roundTrips(a, b, count);
let longestCollection: () => Promise<number>;
await measureAndReport(batch, emptyBatch, {
  warm: () => {
    longestCollection = watchCollections();
  },
  more: async () => ({
    longestCollectionNs: await longestCollection(),
    bytesPerOperation: measureAllocation(batch, emptyBatch),
  }),
});
