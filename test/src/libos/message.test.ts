import { Err, MAX_MESSAGE_WORDS } from "@capos/abi";
import {
  bool,
  bytes,
  bytesUpTo,
  capability,
  decode,
  Echo,
  type Field,
  f64,
  i32,
  list,
  protocol,
  type RequestContext,
  requestLimit,
  type Steps,
  splitText,
  text,
  textUpTo,
  u8,
  u16,
  u32,
  u53,
} from "@capos/libos";
import fc from "fast-check";
import t from "tap";
import type { FakeThread } from "./support/fake.js";
import { connect, finished } from "./support/pair.js";

interface Sample {
  field: Field<never, unknown>;
  value: unknown;
}

const integers: [Field<number>, number, number][] = [
  [u8, 0, 0xff],
  [u16, 0, 0xffff],
  [u32, 0, 0xffff_ffff],
  [i32, -0x8000_0000, 0x7fff_ffff],
  [u53, 0, Number.MAX_SAFE_INTEGER],
];

const sample: fc.Arbitrary<Sample> = fc.oneof(
  fc.constantFrom(...integers).chain(([field, min, max]) =>
    fc.record({
      field: fc.constant(field),
      value: fc.maxSafeInteger().map((n) => min + (Math.abs(n) % (max - min))),
    }),
  ),
  fc
    .constantFrom(...integers)
    .chain(([field, min, max]) => fc.record({ field: fc.constant(field), value: fc.constantFrom(min, max) })),
  fc.record({ field: fc.constant(bool), value: fc.boolean() }),
  fc.record({ field: fc.constant(f64), value: fc.double() }),
  fc.record({ field: fc.constant(text), value: fc.string({ unit: "binary", maxLength: 400 }) }),
  fc.record({ field: fc.constant(textUpTo(12)), value: fc.string({ unit: "binary", maxLength: 3 }) }),
  fc.record({ field: fc.constant(bytes), value: fc.array(fc.nat(255), { maxLength: 400 }) }),
  fc.record({ field: fc.constant(bytesUpTo(7)), value: fc.array(fc.nat(255), { maxLength: 7 }) }),
  fc.record({ field: fc.constant(list(f64, 3)), value: fc.array(fc.double(), { maxLength: 3 }) }),
  fc.record({ field: fc.constant(list(i32, 4)), value: fc.array(fc.integer(), { maxLength: 4 }) }),
);

/** A declaration of one method with random fields, its reply the same as its request, and values that fit. */
const declared = fc.array(sample, { maxLength: 7 }).map((samples) => {
  const shape = Object.fromEntries(samples.map(({ field }, i) => [`field${i}`, field]));
  const made = protocol("random", {
    first: { request: {}, reply: {} },
    same: { request: shape, reply: shape },
  });
  const values = Object.fromEntries(
    samples.map(({ value }, i) => {
      const most = requestLimit(made, "same", `field${i}`);
      if (typeof value === "string") return [`field${i}`, splitText(value, Math.max(4, most))[0]];
      return [`field${i}`, Array.isArray(value) ? value.slice(0, most) : value];
    }),
  );
  return { made, values };
});

t.test("what a client sends and a server answers arrives as it was, for every protocol", (t) => {
  fc.assert(
    fc.property(declared, ({ made, values }) => {
      let received: unknown;
      let answered: unknown;
      let traced: unknown;
      const { client } = connect(
        (sys, endpoint) =>
          made.serve(sys, endpoint, {
            first: () => ({}),
            same: (request: object, context: RequestContext) => {
              received = request;
              context.end();
              return request;
            },
          } as never),
        function* (sys, endpoint) {
          const call = made.client(sys, endpoint) as Record<string, (request: unknown) => Steps<unknown>>;
          const steps = call.same!(values);
          let step = steps.next(0);
          traced = decode(made, (sys as FakeThread).words, (sys as FakeThread).trap.count, "request");
          while (!step.done) step = steps.next(yield step.value);
          answered = step.value;
        },
      );
      t.same(received, values, "request");
      t.same(answered, values, "reply");
      t.same(traced, { protocol: "random", method: "same", status: 0, fields: values }, "trace");
      return finished(client);
    }),
    { numRuns: 300 },
  );
  t.end();
});

t.test("no sequence of words makes a server throw, and each gets an answer", (t) => {
  const Odd = protocol("odd", {
    mixed: { request: { a: u8, b: bool, t: text, l: list(u16, 5), c: bytesUpTo(9), e: i32 }, reply: {} },
    gift: { request: { c: capability }, reply: {} },
  });
  const word = fc.oneof(
    fc.double(),
    fc.integer({ min: -2, max: 12 }),
    fc.constantFrom(Number.NaN, 0x1_0000_0000_0000, -0),
  );
  const word0 = fc.oneof(word, fc.constantFrom(...Odd.methods.map((one) => one.word0)));
  fc.assert(
    fc.property(word0, fc.array(word, { maxLength: 63 }), (first, rest) => {
      let status: number | undefined;
      connect(
        (sys, endpoint, slots) => Odd.serve(sys, endpoint, { mixed: () => {}, gift: () => {} }, { slots }),
        function* (sys, endpoint) {
          Object.assign(sys.words, [first, ...rest]);
          const count = yield sys.call(endpoint, 1 + rest.length);
          if (count === 1) status = sys.words[0];
        },
      );
      return status === Err.OK || status === Err.RANGE || status === Err.UNSUPPORTED;
    }),
    { numRuns: 500 },
  );
  t.end();
});

t.test("a malformed message is answered with an error and the server goes on", (t) => {
  const Strict = protocol("strict", {
    number: { request: { value: u8 }, reply: {} },
    flag: { request: { value: bool }, reply: {} },
    words: { request: { value: text }, reply: {} },
    many: { request: { value: list(u8, 3) }, reply: {} },
    gift: { request: { value: capability }, reply: {} },
  });
  const method = Object.fromEntries(Strict.methods.map(({ name, word0 }) => [name, word0]));
  const table: [string, number[], number][] = [
    ["no words at all", [], Err.UNSUPPORTED],
    ["a method number past the last", [Strict.id * 256 + 5, 1], Err.UNSUPPORTED],
    ["a fraction of a method", [method.number! + 0.5, 1], Err.UNSUPPORTED],
    ["another protocol", [Echo.methods[0].word0, 1], Err.UNSUPPORTED],
    ["NaN for a method", [Number.NaN, 1], Err.UNSUPPORTED],
    ["a missing field", [method.number!], Err.RANGE],
    ["a word too many", [method.number!, 1, 2], Err.RANGE],
    ["a number too large", [method.number!, 256], Err.RANGE],
    ["a negative number", [method.number!, -1], Err.RANGE],
    ["a fraction", [method.number!, 1.5], Err.RANGE],
    ["NaN for an integer", [method.number!, Number.NaN], Err.RANGE],
    ["2 for a bool", [method.flag!, 2], Err.RANGE],
    ["a text shorter than it says", [method.words!, 7, 1], Err.RANGE],
    ["a text longer than it says", [method.words!, 0, 1], Err.RANGE],
    ["a text longer than any message", [method.words!, 1e9], Err.RANGE],
    ["a length that is no integer", [method.words!, 0.5, 1], Err.RANGE],
    ["a packed word of 49 bits", [method.words!, 6, 2 ** 48], Err.RANGE],
    ["bits behind a text's end", [method.words!, 1, 256], Err.RANGE],
    ["a list longer than declared", [method.many!, 4, 1, 1, 1, 1], Err.RANGE],
    ["a list element out of range", [method.many!, 1, 256], Err.RANGE],
    ["a capability that did not come", [method.gift!], Err.RANGE],
    ["a good message", [method.number!, 255], Err.OK],
  ];
  let handled = 0;
  const count = () => {
    handled++;
  };
  connect(
    (sys, endpoint, slots) =>
      Strict.serve(
        sys,
        endpoint,
        { number: count, flag: count, words: count, many: count, gift: count },
        { slots },
      ),
    function* (sys, endpoint) {
      for (const [name, words, status] of table) {
        Object.assign(sys.words, words);
        t.equal(yield sys.call(endpoint, words.length), 1, name);
        t.equal(sys.words[0], status, name);
      }
    },
  );
  t.equal(handled, 1, "only the good message reached a handler");
  t.end();
});

t.test("a value that its field cannot hold throws RangeError before any trap", (t) => {
  const All = protocol("all", {
    m: {
      request: { a: u8, b: bool, c: text, d: bytesUpTo(2), e: list(i32, 2), f: f64, g: capability },
      reply: {},
    },
  });
  const good = { a: 1, b: true, c: "c", d: [1], e: [-1], f: 0.5, g: 4 };
  const bad: Record<string, unknown>[] = [
    { a: 256 },
    { a: -1 },
    { a: 0.5 },
    { a: Number.NaN },
    { a: "1" },
    { a: undefined },
    { b: 1 },
    { c: 1 },
    { c: "x".repeat(400) },
    { c: "é".repeat(180) },
    { d: [256] },
    { d: [1, 2, 3] },
    { d: "ab" },
    { e: [2 ** 31] },
    { e: [1, 2, 3] },
    { e: [undefined] },
    { f: "0" },
    { g: 0 },
    { g: 1.5 },
  ];
  const { client } = connect(
    function* () {},
    function* (sys, endpoint) {
      for (const part of bad) {
        const request = { ...good, ...part } as typeof good;
        try {
          yield* All.client(sys, endpoint).m(request);
          t.fail(JSON.stringify(part));
        } catch (error) {
          t.type(error, RangeError, `${JSON.stringify(part)}: ${String(error)}`);
        }
      }
    },
  );
  t.equal(client.traps, 0);
  t.end();
});

t.test("a declaration whose messages cannot fit is refused", (t) => {
  const many = (count: number, field: Field<never, unknown>) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, field]));
  const declare = (request: Record<string, Field<never, unknown>>) => () =>
    protocol("p", { m: { request, reply: {} } });
  t.doesNotThrow(declare(many(63, u8)), "63 words");
  t.throws(declare(many(64, u8)), RangeError, "64 words");
  t.throws(declare({ a: list(u8, 63) }), RangeError, "a list of 63 and its length");
  t.throws(declare({ ...many(62, u8), a: text }), RangeError, "a text with no word left");
  t.doesNotThrow(declare(many(4, capability)), "4 capabilities");
  t.throws(declare(many(5, capability)), RangeError, "5 capabilities");
  t.throws(declare({ toString: u8 }), RangeError, "a name that every object has");
  t.end();
});

t.test("texts without a limit of their own share the room of a message evenly", (t) => {
  const Shared = protocol("shared", {
    one: { request: { a: text }, reply: {} },
    two: { request: { n: u8, a: text, b: bytes }, reply: {} },
  });
  t.equal(requestLimit(Shared, "one", "a"), (MAX_MESSAGE_WORDS - 2) * 6);
  t.equal(requestLimit(Shared, "two", "a"), 30 * 6);
  t.equal(requestLimit(Shared, "two", "b"), 30 * 6);
  t.end();
});

t.test("two protocols that differ in a field, a type or a name have different ids", (t) => {
  const id = (name: string, method: string, field: string, type: Field<never, unknown>) =>
    protocol(name, { [method]: { request: { [field]: type }, reply: {} } }).id;
  const ids = [
    id("p", "m", "f", u8),
    id("q", "m", "f", u8),
    id("p", "n", "f", u8),
    id("p", "m", "g", u8),
    id("p", "m", "f", u16),
    id("p", "m", "f", textUpTo(5)),
  ];
  t.equal(new Set(ids).size, ids.length);
  t.equal(id("p", "m", "f", u8), ids[0]);
  t.end();
});
