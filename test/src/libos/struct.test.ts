import { array, bool, f64, i32, struct, u8, u16, u32, u53 } from "@capos/libos";
import fc from "fast-check";
import t from "tap";
import { FakeMemory } from "./support/fake-memory.js";

const START = 0x4000;

t.test("fields lie at multiples of their alignment, in their order, as C has it", (t) => {
  const Inner = struct({ flag: u8, half: u16 });
  const Outer = struct({ a: u8, inner: Inner, b: u32, list: array(Inner, 3), c: u8, d: f64, tail: u8 });
  t.same([Inner.bytes, Inner.alignment, Inner.offsets], [4, 2, { flag: 0, half: 2 }]);
  t.same(Outer.offsets, { a: 0, inner: 2, b: 8, list: 12, c: 24, d: 32, tail: 40 });
  t.same([Outer.bytes, Outer.alignment], [48, 8]);
  t.equal(
    Outer.description,
    "{a:u8,inner:{flag:u8,half:u16},b:u32,list:{flag:u8,half:u16}[3],c:u8,d:f64,tail:u8}",
  );
  t.end();
});

t.test("what is assigned through a view is what is loaded, by the view, as a value and by hand", (t) => {
  const { sys } = new FakeMemory(START, 256);
  const Pair = struct({ x: i32, y: u8 });
  const All = struct({
    a: u8,
    b: u16,
    c: u32,
    d: i32,
    e: f64,
    pair: Pair,
    numbers: array(u16, 4),
    pairs: array(Pair, 2),
  });
  const one = All.at(sys, START);
  one.a = 255;
  one.b = 65535;
  one.c = 2 ** 32 - 1;
  one.d = -(2 ** 31);
  one.e = -0.25;
  one.pair.x = -1;
  one.pair.y = 7;
  for (let i = 0; i < 4; i++) one.numbers.set(i, 100 + i);
  one.pairs.set(1, { x: 5, y: 6 });
  one.pairs.get(0).x = 9;
  const value = {
    a: 255,
    b: 65535,
    c: 2 ** 32 - 1,
    d: -(2 ** 31),
    e: -0.25,
    pair: { x: -1, y: 7 },
    numbers: [100, 101, 102, 103],
    pairs: [
      { x: 9, y: 0 },
      { x: 5, y: 6 },
    ],
  };
  t.same(All.read(sys, START), value);
  t.same(
    [one.a, one.b, one.c, one.d, one.e, one.pair.x, one.numbers.get(3), one.pairs.get(1).y],
    [255, 65535, 2 ** 32 - 1, -(2 ** 31), -0.25, -1, 103, 6],
  );
  t.equal(sys.load16(START + All.offsets.numbers + 2), 101);
  All.write(sys, START + 128, value);
  one.moveTo(START + 128);
  t.equal(one.address, START + 128);
  t.equal(one.pairs.get(1).address, START + 128 + All.offsets.pairs + 8);
  t.equal(one.pairs.get(1).x, 5, "its parts move with it");
  one.pair.x = 3;
  t.equal(Pair.at(sys, START + 128 + All.offsets.pair).x, 3);
  t.equal(Pair.at(sys, START + All.offsets.pair).x, -1);
  t.throws(() => one.pair.moveTo(START), { name: "TypeError" });
  t.end();
});

t.test("every number that a field can hold comes back from it, at any place of an array", (t) => {
  const { sys } = new FakeMemory(START, 4096);
  for (const [field, numbers] of [
    [u8, fc.integer({ min: 0, max: 255 })],
    [u16, fc.integer({ min: 0, max: 65535 })],
    [u32, fc.integer({ min: 0, max: 2 ** 32 - 1 })],
    [i32, fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })],
    [f64, fc.double()],
  ] as const)
    fc.assert(
      fc.property(fc.array(numbers, { minLength: 1, maxLength: 20 }), (values) => {
        const List = array(field, values.length);
        const list = List.at(sys, START);
        for (const [i, value] of values.entries()) list.set(i, value);
        return values.every((value, i) => Object.is(list.get(i), value)) && list.length === values.length;
      }),
    );
  t.end();
});

t.test("a number that a field cannot hold is refused by the field's name, and nothing is stored", (t) => {
  const { sys } = new FakeMemory(START, 64);
  const Small = struct({ a: u8, b: i32, list: array(u16, 2) });
  const one = Small.at(sys, START);
  for (const bad of [-1, 256, 0.5, Number.NaN, Number.POSITIVE_INFINITY])
    t.throws(() => (one.a = bad), { name: "RangeError", message: `a: ${bad} is no u8` });
  t.throws(() => (one.b = 2 ** 31), { message: "b: 2147483648 is no i32" });
  t.throws(() => one.list.set(0, 65536), { message: "element 0: 65536 is no u16" });
  for (const index of [-1, 2, 0.5, Number.NaN]) {
    t.throws(() => one.list.get(index), { message: `element ${index} of 2` });
    t.throws(() => one.list.set(index, 1), { name: "RangeError" });
  }
  t.throws(() => Small.write(sys, START, { a: 0, b: 0, list: [1] }), {
    message: "an array of 2 elements, not 1",
  });
  t.same(Small.read(sys, START), { a: 0, b: 0, list: [0, 0] });
  t.end();
});

t.test("what cannot be declared is refused", (t) => {
  for (const [shape, message] of [
    [{}, "a struct has a field"],
    [{ address: u8 }, "a field cannot be called address"],
    [{ toString: u8 }, "a field cannot be called toString"],
    [{ a: bool }, "a struct's field is u8, u16, u32, i32, f64, an array or a struct, not bool"],
    [{ a: u53 }, "a struct's field is u8, u16, u32, i32, f64, an array or a struct, not u53"],
  ] as const)
    t.throws(() => struct(shape as never), { name: "RangeError", message });
  for (const length of [0, -1, 1.5, Number.NaN]) t.throws(() => array(u8, length), { name: "RangeError" });
  t.end();
});

t.test("an access makes one load or one store, and none else", (t) => {
  const memory = new FakeMemory(START, 64);
  const Deep = struct({ list: array(struct({ inner: struct({ x: u16 }) }), 3) });
  const element = Deep.at(memory.sys, START).list.get(2).inner;
  const before = memory.accesses;
  element.x = 5;
  t.equal(memory.accesses, before + 1);
  t.equal(element.x, 5);
  t.equal(memory.accesses, before + 2);
  t.end();
});
