import { utf8Decode, utf8Encode } from "@capos/abi";
import { Slots, splitText, utf8Length } from "@capos/libos";
import fc from "fast-check";
import t from "tap";

t.test("the parts of a text are the text, each within its limit and none inside a character", (t) => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 4, max: 20 }), (text, maxBytes) => {
      const parts = splitText(text, maxBytes);
      return (
        parts.join("") === text &&
        parts.every((part) => utf8Encode(part).length <= maxBytes && utf8Decode(utf8Encode(part)) === part) &&
        (parts.length === 1 || parts.every((part) => part !== ""))
      );
    }),
  );
  t.throws(() => splitText("x", 3), RangeError, "a part must hold the longest character");
  t.end();
});

t.test("the length of a text is that of its UTF-8, lone surrogates included", (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units)),
      (text) => utf8Length(text) === utf8Encode(text).length,
    ),
  );
  t.end();
});

t.test("slots taken are in range, in a row and nobody else's", (t) => {
  const step = fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constant(0));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const slots = new Slots(0, 5, 12);
      const held: [number, number][] = [];
      for (const count of steps) {
        if (count === 0) {
          const oldest = held.shift();
          if (oldest !== undefined) slots.give(...oldest);
          continue;
        }
        const first = slots.tryTake(count);
        if (first === 0) continue;
        if (first < 5 || first + count > 17) return false;
        if (held.some(([other, length]) => first < other + length && other < first + count)) return false;
        held.push([first, count]);
      }
      return slots.free === 12 - held.reduce((sum, [, count]) => sum + count, 0);
    }),
  );
  t.end();
});

t.test("a slot that was not taken cannot be given back", (t) => {
  const slots = new Slots(0, 5, 3);
  t.throws(() => slots.give(5), RangeError, "never taken");
  t.equal(slots.take(3), 5);
  t.throws(() => slots.take(), { code: -19 }, "none left");
  slots.give(6);
  t.throws(() => slots.give(5, 2), RangeError, "half of it given back before");
  t.equal(slots.free, 1, "and nothing of it was given");
  t.throws(() => slots.give(8), RangeError, "out of range");
  t.throws(() => new Slots(0, 0, 3), RangeError, "slot 0 is no receive window");
  t.end();
});

t.test("a slot rests as long as there are others", (t) => {
  const slots = new Slots(0, 1, 4);
  const taken: number[] = [];
  for (let i = 0; i < 8; i++) {
    taken.push(slots.take());
    slots.give(taken[i]);
  }
  t.same(taken, [1, 2, 3, 4, 1, 2, 3, 4]);
  t.end();
});
