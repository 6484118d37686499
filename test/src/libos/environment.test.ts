import type { Sys } from "@capos/abi";
import { encodeEnvironment, environment, MAX_START_WORDS } from "@capos/libos";
import fc from "fast-check";
import t from "tap";
import { bare } from "./support/boot.js";

/** A `sys` that was started with these words and cannot trap. */
const startedWith = (words: readonly number[]) =>
  ({ words: Float64Array.from({ ...words, length: 64 }), startWords: words.length }) as unknown as Sys;

t.test("a thread finds the environment that its starter wrote", (t) => {
  const word = fc.string({ unit: "binary", maxLength: 10 }).filter((text) => !text.includes("\0"));
  const number = fc.maxSafeInteger().map(Math.abs);
  fc.assert(
    fc.property(
      word,
      fc.array(word, { maxLength: 5 }),
      fc.array(number, { maxLength: 8 }),
      number,
      (name, args, handed, handle) => {
        const words = encodeEnvironment({ ...bare, name, args, handed, cnode: handle });
        const { freeSlots, ...found } = environment(startedWith(words));
        const { firstFreeSlot, freeSlotCount, ...expected } = { ...bare, name, args, handed, cnode: handle };
        t.same(found, expected);
        return (
          words.length <= MAX_START_WORDS &&
          freeSlots.first === firstFreeSlot &&
          freeSlots.count === freeSlotCount &&
          freeSlots.cnode === handle
        );
      },
    ),
  );
  t.end();
});

t.test("an environment holds 252 bytes of name and arguments, six less for each number handed over", (t) => {
  const encode = (argument: number, handed: number) =>
    encodeEnvironment({ ...bare, name: "", args: ["x".repeat(argument)], handed: Array(handed).fill(1) });
  t.equal(encode(251, 0).length, MAX_START_WORDS);
  t.throws(() => encode(252, 0), { message: /253 bytes, there is room for 252/ });
  t.equal(encode(251 - 60, 10).length, MAX_START_WORDS);
  t.throws(() => encode(252 - 60, 10), RangeError);
  t.throws(() => encode(0, 43), RangeError, "too many numbers");
  t.throws(() => encodeEnvironment({ ...bare, args: ["a\0b"] }), RangeError, "a NUL in an argument");
  t.end();
});

t.test("start words that are no environment are refused", (t) => {
  const good = encodeEnvironment({ ...bare, args: ["one", "two"] });
  const changed = (at: number, value: number) => good.map((word, i) => (i === at ? value : word));
  const table: [string, number[]][] = [
    ["no words", []],
    ["another version", changed(0, good[0] + 1)],
    ["too few words", good.slice(0, 10)],
    ["a word too many", [...good, 0]],
    ["more numbers than there are", changed(18, 99)],
    ["an argument too many", changed(19, 3)],
    ["more text than there is", changed(20, 500)],
    ["text that is not packed", changed(good.length - 1, 0.5)],
  ];
  for (const [name, words] of table) t.throws(() => environment(startedWith(words)), TypeError, name);
  t.end();
});
