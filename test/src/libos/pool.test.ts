import { Err, Pool } from "@capos/libos";
import fc from "fast-check";
import t from "tap";

const START = 0x1000;
const BYTES = 2048;

t.test(
  "no two pieces overlap or lie outside, none is refused that there is room for, and all comes back",
  (t) => {
    const action = fc.oneof(
      fc.record({ take: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 700 })) }),
      fc.record({ give: fc.nat() }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), fc.array(action, { maxLength: 120 }), (shift, actions) => {
        const from = START + shift;
        const pool = new Pool(from, BYTES);
        const room = pool.freeBytes;
        /** What is taken, by unit of 16 bytes. */
        const used = new Set<number>();
        const held: { address: number; bytes: number }[] = [];
        const low = Math.ceil(from / 16);
        const high = Math.floor((from + BYTES) / 16);
        for (const one of actions) {
          if ("take" in one) {
            const units = Math.ceil(one.take / 16);
            let address: number;
            try {
              address = pool.take(one.take);
            } catch (error) {
              if ((error as { code: number }).code !== Err.NO_MEMORY) throw error;
              let run = 0;
              for (let unit = low; unit < high; unit++) {
                run = used.has(unit) ? 0 : run + 1;
                if (run >= units) throw new Error(`${one.take} bytes were refused, and are free`);
              }
              continue;
            }
            if (address % 16 !== 0 || address / 16 < low || address / 16 + units > high)
              throw new Error("outside");
            for (let i = 0; i < units; i++) {
              if (used.has(address / 16 + i)) throw new Error("overlaps");
              used.add(address / 16 + i);
            }
            if (pool.sizeOf(address) !== units * 16) throw new Error("another size");
            held.push({ address, bytes: units * 16 });
          } else if (held.length > 0) {
            const [{ address, bytes }] = held.splice(one.give % held.length, 1) as [(typeof held)[number]];
            pool.give(address);
            for (let i = 0; i < bytes / 16; i++) used.delete(address / 16 + i);
          }
          if (pool.freeBytes !== room - used.size * 16 || pool.pieces !== held.length)
            throw new Error("miscounted");
        }
        pool.clear();
        return pool.pieces === 0 && pool.take(room) === low * 16;
      }),
    );
    t.end();
  },
);

t.test("what was not taken, or is back, cannot be given; and there is no piece of nothing", (t) => {
  const pool = new Pool(START, BYTES);
  const one = pool.take(20);
  const two = pool.take(20);
  pool.give(one);
  for (const address of [one, two + 16, two + 1, 0, Number.NaN])
    t.throws(() => pool.give(address), {
      name: "RangeError",
      message: `pool: no piece was taken at ${address}`,
    });
  for (const bytes of [0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])
    t.throws(() => pool.take(bytes), { name: "RangeError" });
  t.throws(() => pool.take(BYTES), { code: Err.NO_MEMORY, message: /no 2048 bytes in a row, 2016 are free/ });
  for (const [address, bytes] of [
    [START, 15],
    [START + 1, 30],
    [-16, 64],
    [START, Number.NaN],
    [0.5, 64],
  ] as const)
    t.throws(() => new Pool(address, bytes), { name: "RangeError" });
  t.end();
});
