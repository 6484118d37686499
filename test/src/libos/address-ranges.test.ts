import { Err } from "@capos/abi";
import { AddressRanges } from "@capos/libos";
import fc from "fast-check";
import t from "tap";

const PAGE = 4096;

t.test(
  "no two ranges that are taken overlap, each is aligned, and what is given back can be had again",
  (t) => {
    const action = fc.oneof(
      fc.record({ take: fc.integer({ min: 1, max: 9 }), align: fc.integer({ min: 0, max: 4 }) }),
      fc.record({ at: fc.integer({ min: -2, max: 66 }), pages: fc.integer({ min: 1, max: 9 }) }),
      fc.record({ give: fc.nat() }),
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const first = 3;
        const ranges = new AddressRanges(first * PAGE, (first + 61) * PAGE);
        /** Which pages are taken, and what was. */
        const used = new Set<number>();
        const held: { page: number; count: number }[] = [];
        const isFree = (page: number, count: number) =>
          page >= first &&
          page + count <= first + 61 &&
          Array.from({ length: count }, (_, i) => page + i).every((one) => !used.has(one));
        const hold = (page: number, count: number) => {
          if (!isFree(page, count)) throw new Error(`${count} pages at ${page} were not free`);
          for (let i = 0; i < count; i++) used.add(page + i);
          held.push({ page, count });
        };
        for (const one of actions) {
          if ("take" in one) {
            const align = 2 ** one.align;
            let address: number;
            try {
              address = ranges.take(one.take * PAGE, align * PAGE);
            } catch (error) {
              if ((error as { code: number }).code !== Err.NO_RESOURCE) throw error;
              for (let page = 0; page < 64; page += align)
                if (isFree(page, one.take)) throw new Error(`${one.take} pages at ${page} are free`);
              continue;
            }
            if (address % (align * PAGE) !== 0) throw new Error(`${address} is not aligned`);
            hold(address / PAGE, one.take);
          } else if ("at" in one) {
            const free = isFree(one.at, one.pages);
            if (ranges.tryTakeAt(one.at * PAGE, one.pages * PAGE) !== free) throw new Error("taken or not");
            if (free) hold(one.at, one.pages);
          } else if (held.length > 0) {
            const [{ page, count }] = held.splice(one.give % held.length, 1) as [(typeof held)[number]];
            ranges.give(page * PAGE, count * PAGE);
            for (let i = 0; i < count; i++) used.delete(page + i);
          }
          if (ranges.freeBytes !== (61 - used.size) * PAGE) throw new Error("bytes were lost, or made");
        }
        for (const { page, count } of held) ranges.give(page * PAGE, count * PAGE);
        return ranges.take(61 * PAGE, PAGE) === first * PAGE;
      }),
    );
    t.end();
  },
);

t.test("what was not taken from the addresses cannot be given back to them, whole or in part", (t) => {
  const ranges = new AddressRanges(PAGE, 9 * PAGE);
  t.equal(ranges.take(2 * PAGE, PAGE), PAGE);
  for (const [address, bytes] of [
    [3 * PAGE, PAGE],
    [2 * PAGE, 2 * PAGE],
    [0, PAGE],
    [9 * PAGE, PAGE],
    [PAGE + 1, PAGE],
    [Number.NaN, PAGE],
  ] as const)
    t.throws(() => ranges.give(address, bytes), { name: "RangeError" });
  for (const bytes of [0, -PAGE, 1, Number.NaN, 0.5 * PAGE])
    t.throws(() => ranges.take(bytes, PAGE), { name: "RangeError" });
  for (const [start, end] of [
    [0, PAGE],
    [PAGE, PAGE],
    [PAGE, 2 * PAGE + 1],
  ] as const)
    t.throws(() => new AddressRanges(start, end), { name: "RangeError" });
  ranges.give(PAGE, 2 * PAGE);
  t.equal(ranges.freeBytes, 8 * PAGE);
  t.end();
});
