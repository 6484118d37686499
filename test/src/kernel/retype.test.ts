import {
  Err,
  InitSlot,
  MAX_CNODE_BITS,
  MAX_RETYPE_COUNT,
  Method,
  makeHandle,
  ObjectType,
  objectBits,
  Reg,
  Right,
  Slot,
  SlotBits,
  SlotState,
} from "@capos/abi";
import { makeRegisters } from "@capos/engine";
import { GeneratorContext } from "@capos/engine/generator";
import { PAGE_WORDS } from "@capos/hal";
import {
  blocksOf,
  type Core,
  fillSlot,
  findSlot,
  graceIsOver,
  invokeUntyped,
  killSlot,
  lockTree,
  passGrace,
  type SlotRef,
  slotWord,
  unlockTree,
} from "@capos/kernel/internal";
import { Endpoint, KernelInfo, Notification, Process, Thread, ThreadState } from "@capos/kernel/layout";
import fc from "fast-check";
import t from "tap";
import { useSeed } from "../support/machine.js";
import { makeKernel, type Retyped, retypeOnce } from "./support/kernel.js";

useSeed(t);

const kernel = makeKernel(2);
const k = kernel.cores[1];
const { i32 } = k;
const { cspace, resources } = kernel;
const bytes = Buffer.from(kernel.wasm.buffer);
const thread = resources.thread;
const CSPACE_SLOTS = 4096;
i32[thread + Thread.PROCESS] = resources.process;
i32[thread + Thread.HOME] = k.id;
i32[thread + Thread.PRIORITY] = 1;

const slotAt = (index: number): SlotRef => (cspace + index * Slot.WORDS) as SlotRef;
const UNTYPED = 100;
/** A slot that holds nothing and is the untyped's parent. */
const PARENT = 95;
const WINDOW = 101;
const WINDOW_END = 2200;

/** An untyped of 2^bits bytes in slot UNTYPED, never used, and a window of empty slots behind it. */
function freshUntyped(bits: number): SlotRef {
  for (let word = slotAt(UNTYPED - 5); word < slotAt(WINDOW_END); word++) i32[word] = 0;
  for (let index = UNTYPED - 5; index < WINDOW_END; index++) i32[slotAt(index) + Slot.GENERATION] = 5;
  for (let word = 0; word < 2 ** (bits - 2); word++) i32[kernel.free + word] = 0;
  const held = lockTree(k);
  fillSlot(
    held,
    slotAt(UNTYPED),
    slotWord(ObjectType.UNTYPED, Right.ALL, 0, bits),
    kernel.free,
    0,
    slotAt(PARENT),
  );
  unlockTree(held);
  return slotAt(UNTYPED);
}

function kill(core: Core, slot: SlotRef): void {
  const held = lockTree(core);
  killSlot(held, slot);
  unlockTree(held);
}

const make = (
  type: number,
  sizeBits: number,
  count: number,
  first: number,
  untyped = slotAt(UNTYPED),
): Retyped => {
  return retypeOnce(k, thread, { untyped, type, sizeBits, count, cnodeSlot: slotAt(InitSlot.CNODE), first });
};

/** All of memory but the two words of the tree lock, which every decode moves. */
function snapshot(): Buffer {
  const copy = Buffer.from(bytes);
  copy.fill(0, KernelInfo.TREE_LOCK * 4, (KernelInfo.TREE_LOCK_TICKET + 1) * 4);
  return copy;
}

/** The number of bytes and their logarithm that an object takes, by the documentation. */
const SIZE_BITS: Partial<Record<number, (sizeBits: number) => number>> = {
  [ObjectType.UNTYPED]: (bits) => bits,
  [ObjectType.CNODE]: (bits) => bits + 6,
  [ObjectType.FRAME]: (bits) => bits,
  [ObjectType.PAGE_TABLE]: () => 12,
  [ObjectType.ADDRESS_SPACE]: () => 13,
  [ObjectType.ENDPOINT]: () => 7,
  [ObjectType.NOTIFICATION]: () => 7,
  [ObjectType.MONITOR]: () => 8,
  [ObjectType.SEALER]: () => 6,
  [ObjectType.THREAD]: () => 10,
  [ObjectType.PROCESS]: () => 10,
};

t.test(
  "blocks cover each page exactly once, each of them aligned to its size, the largest first, and fit init's slots",
  (t) => {
    fc.assert(
      fc.property(
        fc.oneof(fc.nat(5000), fc.nat(2 ** 20)),
        fc.oneof(fc.nat(5000), fc.nat(2 ** 20)),
        (a, b) => {
          const [first, end] = [Math.min(a, b), Math.max(a, b)];
          const blocks = blocksOf(first, end);
          let at = first;
          for (const { page, bits } of [...blocks].sort((x, y) => x.page - y.page)) {
            if (page !== at || page % 2 ** bits !== 0 || bits > 18) return false;
            at += 2 ** bits;
          }
          return (
            at === end &&
            blocks.every(({ bits }, i) => i === 0 || bits <= blocks[i - 1].bits) &&
            blocks.length <= InitSlot.MAX_UNTYPED
          );
        },
      ),
      {
        numRuns: 2000,
        examples: [
          [0, 0],
          [0, 1],
          [0, 2 ** 20],
          [1, 2 ** 20],
          [1, 2 ** 20 - 1],
          [7, 8],
        ],
      },
    );
    t.end();
  },
);

t.test("init's untyped memory is all that the tables left, and none of it is in use", (t) => {
  for (const [cores, memoryMiB] of [
    [1, 16],
    [2, 17],
    [64, 16],
  ] as const) {
    const { memory, cspace: slots, resources: given } = makeKernel(cores, { memoryMiB });
    let total = 0;
    let lowest = Number.POSITIVE_INFINITY;
    for (let i = 0; i < given.untypedCount; i++) {
      const slot = slots + (InitSlot.UNTYPED + i) * Slot.WORDS;
      const [address, size] = [
        memory.i32[slot + Slot.OBJECT] * 4,
        2 ** (memory.i32[slot] >>> SlotBits.SIZE_SHIFT),
      ];
      t.equal(address % size, 0, "aligned");
      total += size;
      lowest = Math.min(lowest, address);
    }
    t.equal(total, given.freeBytes);
    t.equal(
      lowest + total,
      memoryMiB * 2 ** 20,
      `${cores} cores, ${memoryMiB} MiB: from the tables to the end of memory`,
    );
    t.ok(lowest >= (slots + CSPACE_SLOTS * Slot.WORDS) * 4, "above init's slots, the last of the tables");
    t.ok(total >= 2 ** 20, "64 cores leave something, too");
  }
  t.end();
});

const step = fc.record({
  type: fc.oneof(
    fc.constantFrom(
      ObjectType.UNTYPED,
      ObjectType.CNODE,
      ObjectType.FRAME,
      ObjectType.PAGE_TABLE,
      ObjectType.ADDRESS_SPACE,
      ObjectType.ENDPOINT,
      ObjectType.NOTIFICATION,
      ObjectType.THREAD,
      ObjectType.PROCESS,
    ),
    fc.integer({ min: -1, max: 25 }),
  ),
  sizeBits: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: -1, max: 40 })),
  count: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: -1, max: 40 })),
  first: fc.integer({ min: UNTYPED - 2, max: UNTYPED + 80 }),
});

t.test(
  "objects are aligned, apart, inside their untyped and in their slots; the watermark is behind the last; whatever fails changes nothing",
  (t) => {
    const BITS = 16;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, size: "max" }), (steps) => {
        const untyped = freshUntyped(BITS);
        const base = i32[untyped + Slot.OBJECT];
        const from = slotAt(UNTYPED - 2) * 4;
        const region = (): Buffer =>
          Buffer.concat([
            bytes.subarray(from, slotAt(WINDOW_END) * 4),
            bytes.subarray(base * 4, base * 4 + 2 ** BITS + 4096),
          ]);
        let mark = 0;
        const occupied = new Set([UNTYPED]);
        const children: number[] = [];
        for (const { type, sizeBits, count, first } of steps) {
          const bits = SIZE_BITS[type]?.(sizeBits) ?? 0;
          const before = region();
          const start = Math.ceil(mark / 2 ** bits) * 2 ** bits;
          let expected: number = Err.OK;
          if (
            bits < 6 ||
            (type === ObjectType.UNTYPED && bits > 31) ||
            (type === ObjectType.FRAME && (bits < 12 || bits > 30)) ||
            (type === ObjectType.CNODE && (sizeBits < 1 || sizeBits > MAX_CNODE_BITS))
          )
            expected = Err.RANGE;
          else if (count < 1 || count > MAX_RETYPE_COUNT || first < 1 || first + count > CSPACE_SLOTS)
            expected = Err.RANGE;
          else if (Array.from({ length: count }, (_, i) => first + i).some((index) => occupied.has(index)))
            expected = Err.SLOT_OCCUPIED;
          else if (start + count * 2 ** bits > 2 ** BITS) expected = Err.NO_MEMORY;
          const nextGeneration = i32[k.tables + 4];
          const { status, detail } = make(type, sizeBits, count, first);
          if (status !== expected)
            throw new Error(
              `type ${type}, ${sizeBits} bits, ${count} from ${first}: ${status}, not ${expected}`,
            );
          if (detail !== (status === Err.NO_MEMORY ? 2 ** BITS - mark : 0))
            throw new Error(`${detail} bytes are said to be left`);
          if (status !== Err.OK) {
            if (!region().equals(before)) throw new Error("a failed retype changed something");
            continue;
          }
          for (let i = 0; i < count; i++) {
            const slot = slotAt(first + i);
            const object = base + (start + i * 2 ** bits) / 4;
            occupied.add(first + i);
            children.unshift(slot);
            const sized = type === ObjectType.UNTYPED || type === ObjectType.CNODE ? sizeBits : bits;
            const word = SlotState.LIVE | (type << 2) | (Right.ALL << 8) | (sized << 24);
            const fields = [
              i32[slot],
              i32[slot + Slot.GENERATION],
              i32[slot + Slot.OBJECT],
              i32[slot + Slot.BADGE],
              i32[slot + Slot.PARENT],
              i32[slot + Slot.FIRST_CHILD],
              i32[slot + Slot.WATERMARK],
            ];
            // The parent is kept in the first child: the one that was made last.
            const parent = i === count - 1 ? untyped : 0;
            if (fields.join() !== [word, 5, object, 0, parent, 0, 0].join())
              throw new Error(`slot ${first + i} holds ${fields}`);
            if ((object * 4) % 2 ** bits !== 0) throw new Error("an object is not aligned");
            if (
              type === ObjectType.CNODE &&
              (i32[object + Slot.WORDS + Slot.GENERATION] !== nextGeneration + i ||
                i32[object] !== (ObjectType.CNODE << 2) + (sizeBits << 24))
            )
              throw new Error("a CNode has no header or generation");
          }
          mark = start + count * 2 ** bits;
          if (i32[untyped + Slot.WATERMARK] !== mark / 64 || mark > 2 ** BITS)
            throw new Error("the watermark is wrong");
          const found: number[] = [];
          for (let child = i32[untyped + Slot.FIRST_CHILD]; child !== 0 && child !== found[0]; ) {
            found.push(child);
            const next = i32[child + Slot.NEXT_SIBLING];
            if (i32[next + Slot.PREVIOUS_SIBLING] !== child) throw new Error("siblings are not linked");
            child = next;
          }
          if (found.join() !== children.join()) throw new Error("the derivation tree lacks a child");
        }
      }),
      { numRuns: 200 },
    );
    t.end();
  },
);

t.test("the last byte of an untyped can be handed out and not one more", (t) => {
  const untyped = freshUntyped(14);
  t.equal(make(ObjectType.FRAME, 12, 4, WINDOW).status, Err.OK);
  t.equal(i32[untyped + Slot.WATERMARK], 2 ** 14 / 64);
  t.same(make(ObjectType.ENDPOINT, 0, 1, WINDOW + 4), { status: Err.NO_MEMORY, detail: 0 });
  freshUntyped(14);
  make(ObjectType.ENDPOINT, 0, 1, WINDOW);
  t.same(
    make(ObjectType.FRAME, 12, 4, WINDOW + 1),
    { status: Err.NO_MEMORY, detail: 2 ** 14 - 128 },
    "alignment counts, what is left is what was not handed out",
  );
  t.equal(make(ObjectType.FRAME, 12, 3, WINDOW + 1).status, Err.OK);
  t.end();
});

t.test("a retype that fails, for whatever reason, leaves all of memory as it was", (t) => {
  freshUntyped(16);
  t.equal(make(ObjectType.ENDPOINT, 0, 3, WINDOW + 10).status, Err.OK);
  const before = snapshot();
  for (const [name, expected, type, sizeBits, count, first] of [
    ["the window begins at an occupied slot", Err.SLOT_OCCUPIED, ObjectType.ENDPOINT, 0, 2, WINDOW + 12],
    ["its last slot is occupied", Err.SLOT_OCCUPIED, ObjectType.ENDPOINT, 0, 11, WINDOW],
    ["the untyped itself is in the window", Err.SLOT_OCCUPIED, ObjectType.ENDPOINT, 0, 5, UNTYPED - 4],
    ["one object too many", Err.NO_MEMORY, ObjectType.FRAME, 12, 16, WINDOW + 20],
    ["one object too large", Err.NO_MEMORY, ObjectType.UNTYPED, 31, 1, WINDOW + 20],
    [
      "as many as possible of the largest",
      Err.NO_MEMORY,
      ObjectType.UNTYPED,
      31,
      MAX_RETYPE_COUNT,
      WINDOW + 20,
    ],
    ["no object", Err.RANGE, ObjectType.ENDPOINT, 0, 0, WINDOW + 20],
    ["less than none", Err.RANGE, ObjectType.ENDPOINT, 0, -1, WINDOW + 20],
    ["one more than a retype makes", Err.RANGE, ObjectType.ENDPOINT, 0, MAX_RETYPE_COUNT + 1, WINDOW + 20],
    ["far more", Err.RANGE, ObjectType.ENDPOINT, 0, 2 ** 31 - 1, WINDOW + 20],
    ["not a number of objects", Err.RANGE, ObjectType.ENDPOINT, 0, Number.NaN, WINDOW + 20],
    ["the header of the CNode", Err.RANGE, ObjectType.ENDPOINT, 0, 1, 0],
    ["before the CNode", Err.RANGE, ObjectType.ENDPOINT, 0, 1, -1],
    ["a window over the end", Err.RANGE, ObjectType.ENDPOINT, 0, 2, CSPACE_SLOTS - 1],
    ["a window beyond the end", Err.RANGE, ObjectType.ENDPOINT, 0, 1, CSPACE_SLOTS],
    ["a window far beyond the end", Err.RANGE, ObjectType.ENDPOINT, 0, 1, 2 ** 31 - 1],
    ["a CNode too small", Err.RANGE, ObjectType.CNODE, 0, 1, WINDOW + 20],
    ["a CNode too large", Err.RANGE, ObjectType.CNODE, MAX_CNODE_BITS + 1, 1, WINDOW + 20],
    ["untyped memory too small", Err.RANGE, ObjectType.UNTYPED, 5, 1, WINDOW + 20],
    ["untyped memory larger than any", Err.RANGE, ObjectType.UNTYPED, 32, 1, WINDOW + 20],
    ["a size that wraps around 32 bits", Err.RANGE, ObjectType.CNODE, 2 ** 32 + 4, 1, WINDOW + 20],
    ["a type that is not made from memory", Err.RANGE, ObjectType.IRQ_HANDLER, 0, 1, WINDOW + 20],
    ["nothing", Err.RANGE, ObjectType.NONE, 12, 1, WINDOW + 20],
  ] as const) {
    t.equal(make(type, sizeBits, count, first).status, expected, name);
    t.ok(snapshot().equals(before), `${name}: nothing changed`);
  }
  t.end();
});

t.test("1024 objects can be made at once", (t) => {
  freshUntyped(20);
  t.equal(make(ObjectType.THREAD, 0, MAX_RETYPE_COUNT, WINDOW).status, Err.OK);
  t.equal(
    i32[slotAt(WINDOW + MAX_RETYPE_COUNT - 1) + Slot.OBJECT],
    kernel.free + (MAX_RETYPE_COUNT - 1) * Thread.SIZE,
  );
  t.end();
});

t.test("what is made is at home on the core that made it, and each process has its own number", (t) => {
  freshUntyped(16);
  make(ObjectType.ENDPOINT, 0, 1, WINDOW);
  make(ObjectType.NOTIFICATION, 0, 1, WINDOW + 1);
  make(ObjectType.THREAD, 0, 1, WINDOW + 2);
  make(ObjectType.PROCESS, 0, 2, WINDOW + 3);
  const object = (i: number): number => i32[slotAt(WINDOW + i) + Slot.OBJECT];
  t.equal(i32[object(0) + Endpoint.HOME], 1);
  t.equal(i32[object(1) + Notification.HOME], 1);
  t.equal(i32[object(2) + Thread.HOME], 1);
  t.not(i32[object(3) + Process.NUMBER], i32[object(4) + Process.NUMBER]);
  t.equal(objectBits(ObjectType.THREAD, 0), Math.log2(Thread.SIZE * 4), "a thread's size is its layout's");
  t.equal(objectBits(ObjectType.PROCESS, 0), Math.log2(Process.SIZE * 4), "and a process's");
  t.end();
});

t.test("two CNodes do not begin with the same generation", (t) => {
  freshUntyped(16);
  make(ObjectType.CNODE, 4, 2, WINDOW);
  const [one, other] = [0, 1].map((i) => i32[slotAt(WINDOW + i) + Slot.OBJECT]) as [number, number];
  for (let slot = 1; slot < 16; slot++) {
    t.equal(i32[one + slot * Slot.WORDS], SlotState.EMPTY);
    t.not(i32[one + slot * Slot.WORDS + Slot.GENERATION], i32[other + slot * Slot.WORDS + Slot.GENERATION]);
  }
  t.end();
});

t.test("memory made of memory stays inside it, at any depth", (t) => {
  freshUntyped(16);
  make(ObjectType.ENDPOINT, 0, 1, WINDOW);
  make(ObjectType.UNTYPED, 14, 3, WINDOW + 1);
  const inner = slotAt(WINDOW + 2);
  t.equal(make(ObjectType.FRAME, 12, 4, WINDOW + 10, inner).status, Err.OK);
  t.equal(make(ObjectType.ENDPOINT, 0, 1, WINDOW + 20, inner).status, Err.NO_MEMORY);
  const [low, high] = [i32[inner + Slot.OBJECT], i32[inner + Slot.OBJECT] + 2 ** 12];
  for (let i = 0; i < 4; i++) {
    const frame = i32[slotAt(WINDOW + 10 + i) + Slot.OBJECT];
    t.ok(frame >= low && frame + PAGE_WORDS <= high);
  }
  t.end();
});

t.test("an untyped that another core killed after it was looked up makes nothing", (t) => {
  // Between the lookup and the tree lock, which orders the two, somebody deletes it.
  const untyped = freshUntyped(16);
  kill(kernel.cores[0], untyped);
  const before = snapshot();
  t.equal(make(ObjectType.ENDPOINT, 0, 1, WINDOW).status, Err.BAD_CAP);
  t.ok(snapshot().equals(before), "nothing changed");
  t.end();
});

t.test("a window slot that is dying is waited for, and filled one generation on", (t) => {
  const untyped = freshUntyped(16);
  make(ObjectType.ENDPOINT, 0, 1, WINDOW);
  const old = makeHandle(WINDOW, 5);
  t.equal(findSlot(k, thread, old), slotAt(WINDOW));
  kill(k, slotAt(WINDOW));
  t.equal(findSlot(k, thread, old), 0, "a dead slot's handle names nothing");
  const stamp = i32[slotAt(WINDOW) + Slot.STAMP];
  t.equal(graceIsOver(k, stamp), false);
  k.current = thread;
  const watermark = i32[untyped + Slot.WATERMARK];
  make(ObjectType.NOTIFICATION, 0, 2, WINDOW);
  t.equal(k.current, 0);
  t.same([i32[thread + Thread.STATE], i32[thread + Thread.GRACE_TARGET]], [ThreadState.GRACE_WAIT, stamp]);
  t.same([i32[untyped + Slot.WATERMARK], i32[slotAt(WINDOW + 1)]], [watermark, 0], "nothing was made");
  for (const core of kernel.cores) passGrace(core, stamp);
  t.equal(i32[thread + Thread.STATE], ThreadState.READY, "the trap starts again");
  t.equal(make(ObjectType.NOTIFICATION, 0, 2, WINDOW).status, Err.OK);
  t.equal(findSlot(k, thread, old), 0, "the old handle does not name the new tenant");
  t.equal(findSlot(k, thread, makeHandle(WINDOW, 6)), slotAt(WINDOW));
  t.end();
});

t.test(
  "a slot that is dying does not hide one that is occupied, and one at its last generation stays taken",
  (t) => {
    freshUntyped(16);
    make(ObjectType.ENDPOINT, 0, 3, WINDOW);
    kill(k, slotAt(WINDOW + 1));
    t.equal(make(ObjectType.ENDPOINT, 0, 3, WINDOW).status, Err.SLOT_OCCUPIED);
    i32[slotAt(WINDOW + 1) + Slot.GENERATION] = -1;
    for (const core of kernel.cores) passGrace(core, i32[KernelInfo.GRACE_REQUESTED]);
    t.equal(make(ObjectType.ENDPOINT, 0, 1, WINDOW + 1).status, Err.SLOT_OCCUPIED);
    t.end();
  },
);

t.test("no number but a live slot's own handle names it", (t) => {
  freshUntyped(16);
  make(ObjectType.ENDPOINT, 0, 20, WINDOW);
  const live = (index: number): boolean => (i32[slotAt(index)] & SlotBits.STATE_MASK) === SlotState.LIVE;
  const near = fc
    .tuple(
      fc.integer({ min: -2, max: WINDOW + 25 }),
      fc.integer({ min: 3, max: 7 }),
      fc.constantFrom(0, 0, 0, 0.5, -1, 2 ** 53, -(2 ** 53), 2 ** 64),
    )
    .map(([index, generation, off]) => index * 2 ** 32 + generation + off);
  fc.assert(
    fc.property(fc.oneof(near, fc.double(), fc.integer(), fc.maxSafeInteger()), (number) => {
      const slot = findSlot(k, thread, number);
      const index = Math.floor(number / 2 ** 32);
      const names =
        index >= 1 &&
        index < CSPACE_SLOTS &&
        live(index) &&
        makeHandle(index, i32[slotAt(index) + Slot.GENERATION]) === number;
      return slot === (names ? slotAt(index) : 0);
    }),
    {
      numRuns: 2000,
      examples: [[makeHandle(WINDOW, 5)], [makeHandle(WINDOW + 19, 5)], [Number.POSITIVE_INFINITY], [-0]],
    },
  );
  t.end();
});

/** Retype as a guest asks for it, words and all. Answers the result and the first two words. */
function invoke(...words: number[]): { result: number; words: number[] } {
  const context = new GeneratorContext(makeRegisters());
  [Method.UNTYPED_RETYPE, ...words].forEach((word, i) => {
    context.regs[Reg.WORDS + i] = word;
  });
  k.current = thread;
  invokeUntyped(k, thread, context, slotAt(UNTYPED), Method.UNTYPED_RETYPE);
  k.current = 0;
  return { result: context.result, words: [context.regs[0], context.regs[1]] };
}

t.test(
  "an argument of a retype that is no whole number, or too large for one, is refused and changes nothing",
  (t) => {
    freshUntyped(16);
    const cnode = makeHandle(InitSlot.CNODE, i32[slotAt(InitSlot.CNODE) + Slot.GENERATION]);
    const good = [ObjectType.UNTYPED, 8, 2, cnode, WINDOW];
    const before = snapshot();
    for (const bad of [
      1.5,
      -0.5,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      -1,
      2 ** 31,
      2 ** 32,
      2 ** 32 + 8,
      2 ** 53,
      -(2 ** 31),
    ]) {
      for (const at of [0, 1, 2, 3, 4]) {
        const { result } = invoke(...good.with(at, bad));
        t.ok(
          result === (at === 0 ? Err.BAD_TYPE : at === 3 ? Err.BAD_CAP : Err.RANGE),
          `${bad} as argument ${at}: ${result}`,
        );
      }
    }
    t.ok(snapshot().equals(before), "nothing changed");
    t.equal(invoke(...good).result, 0, "and the good ones work");
    t.same(
      invoke(...good.with(4, CSPACE_SLOTS)),
      { result: Err.RANGE, words: [1, CSPACE_SLOTS - 1] },
      "the range of a slot is answered",
    );
    t.same(
      invoke(ObjectType.UNTYPED, 16, 1, cnode, WINDOW + 9),
      { result: Err.NO_MEMORY, words: [2 ** 16 - 512, 0] },
      "what is left is answered",
    );
    t.end();
  },
);

t.test("a capability without WRITE retypes nothing", (t) => {
  freshUntyped(16);
  i32[slotAt(UNTYPED)] &= ~(Right.WRITE << SlotBits.RIGHTS_SHIFT);
  const cnode = makeHandle(InitSlot.CNODE, i32[slotAt(InitSlot.CNODE) + Slot.GENERATION]);
  const before = snapshot();
  t.equal(invoke(ObjectType.ENDPOINT, 0, 1, cnode, WINDOW).result, Err.DENIED);
  t.ok(snapshot().equals(before));
  t.end();
});
