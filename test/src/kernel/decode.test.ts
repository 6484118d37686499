/** The kernel's checks of arguments, against the declaration that they are made from: see methods.ts in the ABI. */
import { Err, makeHandle, ObjectType, Reg, Right, Slot, SlotFlag, TrapShift } from "@capos/abi";
import { type Argument, METHODS, type MethodDeclaration, type ObjectDeclaration } from "@capos/abi/methods";
import { makeRegisters } from "@capos/engine";
import { GeneratorContext } from "@capos/engine/generator";
import { BootInfo, nowNs } from "@capos/hal";
import {
  type Core,
  decoders,
  fillSlot,
  type SlotRef,
  slotWord,
  type ThreadRef,
} from "@capos/kernel/internal";
import { Process } from "@capos/kernel/layout";
import t from "tap";
import { handleIn } from "./support/processes.js";
import { makeBench } from "./support/slots.js";

type Decoder = (k: Core, thread: ThreadRef, context: GeneratorContext, self: SlotRef) => boolean;

const bench = makeBench(3);
const { i32, slotAt, thread } = bench;
const [k] = bench.cores as [Core];
const init = bench.resources.process;
const memory = Buffer.from(bench.wasm.buffer);

const SELF = 100;
const OTHERS = 110;
const SLOT_BITS = 3;
const CEILING = 77;
const OWN_CEILING = 33;
const THREADS_LEFT = 7;
const IMAGES = 2;

const QUANTITIES: Readonly<Record<string, number>> = {
  lastCore: 2,
  lastImage: IMAGES - 1,
  ceiling: CEILING,
  ownCeiling: OWN_CEILING,
  threadsLeft: THREADS_LEFT,
};

const RETYPED: readonly ObjectType[] = [
  ObjectType.CNODE,
  ObjectType.PROCESS,
  ObjectType.THREAD,
  ObjectType.MONITOR,
  ObjectType.SEALER,
  ObjectType.NOTIFICATION,
  ObjectType.ENDPOINT,
];

/** What is no integer, and what is none of 32 bits. */
const NO_INTEGERS = [
  -1,
  0.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  2 ** 53,
  -1e300,
];

/** A slot with a capability of a type, with all rights. */
function make(type: ObjectType, index: number): SlotRef {
  if (RETYPED.includes(type)) return bench.make(type, type === ObjectType.CNODE ? SLOT_BITS : 0, 1, index)[0];
  // What is made when the machine starts: its object is never looked at here.
  bench.locked(k, (held) =>
    fillSlot(held, slotAt(index), slotWord(type, Right.ALL, 0, 12), bench.free, 0, bench.untyped),
  );
  return slotAt(index);
}

const handleOf = (slot: number): number => handleIn(bench, bench.cspace, slot);

interface Wrong {
  readonly what: string;
  readonly value: number;
  readonly error: Err;
  readonly range?: readonly [number, number];
}

interface Word {
  readonly good: number;
  /** What the operands hold after the good one. */
  readonly kept: number;
  readonly wrong: readonly Wrong[];
}

const bound = (value: number | string): number => (typeof value === "number" ? value : QUANTITIES[value]);

/** A number from `low` to `high`, with the range that a refusal says. */
function numbers(good: number, low: number, high: number, said: readonly [number, number], error: Err): Word {
  const values = [...NO_INTEGERS, low - 1, high + 1, good + 0.25].filter(
    (value) => !(Number.isSafeInteger(value) && value >= low && value <= high),
  );
  const range = error === Err.RANGE ? { range: said } : {};
  return {
    good,
    kept: good,
    wrong: values.map((value) => ({ what: `number ${value}`, value, error, ...range })),
  };
}

/** A handle of a capability that is looked up, with everything that can be wrong with one. */
function looked(argument: Extract<Argument, { kind: "capability" }>, at: number): Word {
  const [type = ObjectType.ENDPOINT] = argument.types;
  let index = OTHERS + 10 * at;
  const fresh = (of: ObjectType = type): SlotRef => make(of, index++);
  const good = fresh();
  const marked = (what: string, flag: SlotFlag, error: Err): Wrong => {
    const slot = fresh();
    i32[slot] |= flag;
    k.f64[(slot + Slot.EXPIRY) >> 1] = nowNs() - 1;
    return { what, value: handleOf(slot), error };
  };
  const wrong = [
    ...[0, ...NO_INTEGERS, handleOf(good) + 1, handleOf(good) + 0.5, makeHandle(4096, 5)].map((value) => ({
      what: `handle ${value}`,
      value,
      error: Err.BAD_CAP,
    })),
    { what: "of an empty slot", value: handleOf(slotAt(index + 5)), error: Err.BAD_CAP },
    marked("a sealed one", SlotFlag.SEALED, Err.SEALED),
    marked("one whose time is over", SlotFlag.EXPIRES, Err.EXPIRED),
  ];
  if (argument.types.length > 0) {
    const other = fresh(type === ObjectType.ENDPOINT ? ObjectType.NOTIFICATION : ObjectType.ENDPOINT);
    wrong.push({ what: "one of another type", value: handleOf(other), error: Err.BAD_TYPE });
  }
  if (argument.right !== 0) {
    const weak = fresh();
    i32[weak] &= ~(argument.right << 8);
    wrong.push({ what: "one without the right", value: handleOf(weak), error: Err.DENIED });
  }
  return { good: handleOf(good), kept: good, wrong };
}

function wordOf(argument: Argument, at: number): Word {
  switch (argument.kind) {
    case "integer": {
      const { low, high, told, error } = argument;
      if (low === undefined) return { good: 3, kept: 3, wrong: [] };
      return numbers(bound(high!), low, bound(high!), [low, bound(told ?? high!)], error ?? Err.RANGE);
    }
    case "long":
      return numbers(argument.high, argument.low, argument.high, [argument.low, argument.high], Err.RANGE);
    case "rights":
      return numbers(Right.ALL, 0, Right.ALL, [0, Right.ALL], Err.RANGE);
    case "slot":
      return numbers(2 ** SLOT_BITS - 1, 1, 2 ** SLOT_BITS - 1, [1, 2 ** SLOT_BITS - 1], Err.RANGE);
    case "capability":
      return looked(argument, at);
    case "text":
    case "bytes": {
      const { max } = argument;
      const word = numbers(max, 0, max, [0, max], Err.RANGE);
      return argument.kind === "text" && argument.lenient === true ? { ...word, wrong: [] } : word;
    }
    default:
      return { good: 0.5 + at, kept: 0.5 + at, wrong: [] };
  }
}

/** As on the wire: what has any length stands last. */
function inOrder(method: MethodDeclaration): Argument[] {
  const isLast = ({ kind }: Argument) => kind === "text" || kind === "bytes" || kind === "words";
  return [...method.arguments].sort((a, b) => Number(isLast(a)) - Number(isLast(b)));
}

function contextOf(words: readonly number[], count = 64): GeneratorContext {
  const context = new GeneratorContext(makeRegisters());
  words.forEach((word, i) => {
    context.regs[Reg.WORDS + 1 + i] = word;
  });
  context.trap = count << TrapShift.WORDS;
  return context;
}

function decoderOf(object: ObjectDeclaration, method: MethodDeclaration): Decoder | undefined {
  const name = `decode${object.title}${method.name[0].toUpperCase()}${method.name.slice(1)}`;
  return (decoders as Readonly<Record<string, Decoder>>)[name];
}

/** What a decoder comes to. */
function statusOf(decoder: Decoder, context: GeneratorContext, self: SlotRef): number {
  context.result = Err.OK;
  return decoder(k, thread, context, self) ? Err.OK : context.result;
}

function prepare(object: ObjectDeclaration): SlotRef {
  bench.renew(18);
  i32[init + Process.CEILING] = CEILING;
  i32[init + Process.THREADS_LEFT] = THREADS_LEFT;
  i32[i32[BootInfo.MODULES]] = IMAGES;
  const self = make(object.type, SELF);
  if (object.type === ObjectType.PROCESS) i32[bench.objectIn(self) + Process.CEILING] = OWN_CEILING;
  return self;
}

for (const object of METHODS) {
  for (const method of object.methods) {
    const name = `${object.name}.${method.name}`;
    const decoder = decoderOf(object, method);
    if (decoder === undefined) {
      t.test(`${name} has nothing to check`, (t) => {
        t.same([method.right, method.arguments], [0, []]);
        t.end();
      });
      continue;
    }

    t.test(`${name}: every wrong argument answers its error, and nothing is changed`, (t) => {
      const self = prepare(object);
      const declared = inOrder(method);
      const words = declared.map(wordOf);
      const good = words.map((word) => word.good);
      const before = Buffer.copyBytesFrom(memory);
      words.forEach((word, at) => {
        for (const { what, value, error, range } of word.wrong) {
          const context = contextOf(good.with(at, value));
          const row = `${declared[at].name}, ${what}`;
          t.equal(statusOf(decoder, context, self), error, row);
          if (range !== undefined) t.same([context.regs[0], context.regs[1]], range, `${row}: the range`);
        }
      });
      t.ok(memory.equals(before), "memory is as it was");
      t.end();
    });

    t.test(`${name}: of two wrong arguments the first is told`, (t) => {
      const self = prepare(object);
      const declared = inOrder(method);
      const words = declared.map(wordOf);
      const good = words.map((word) => word.good);
      words.forEach((first, i) => {
        words.slice(i + 1).forEach((second, n) => {
          for (const a of first.wrong.slice(-3))
            for (const b of second.wrong.slice(-3)) {
              const context = contextOf(good.with(i, a.value).with(i + 1 + n, b.value));
              const row = `${declared[i].name}, ${a.what}, and ${declared[i + 1 + n].name}, ${b.what}`;
              t.equal(statusOf(decoder, context, self), a.error, row);
            }
        });
      });
      t.end();
    });

    t.test(`${name}: good arguments are kept under their names`, (t) => {
      const self = prepare(object);
      const declared = inOrder(method);
      const words = declared.map(wordOf);
      t.equal(statusOf(decoder, contextOf(words.map((word) => word.good)), self), Err.OK);
      declared.forEach((argument, i) => {
        const operands = k.operands as unknown as Readonly<Record<string, number>>;
        if (argument.kind === "words")
          t.same([operands.wordCount, operands.payload], [63 - i, Reg.WORDS + 1 + i]);
        else if (argument.kind === "text" || argument.kind === "bytes")
          t.same([operands.byteCount, operands.payload], [words[i].good, Reg.WORDS + 2 + i]);
        else t.equal(operands[argument.name], words[i].kept, argument.name);
      });
      t.end();
    });

    if (method.right !== 0) {
      t.test(`${name} is denied to a capability without its right, whatever the arguments`, (t) => {
        const self = prepare(object);
        i32[self] &= ~(method.right << 8);
        t.equal(statusOf(decoder, contextOf([]), self), Err.DENIED);
        t.end();
      });
    }

    const payload = inOrder(method).at(-1);
    if (payload?.kind === "text" || payload?.kind === "bytes") {
      t.test(`${name}: what is said to be longer than the message is not read`, (t) => {
        const self = prepare(object);
        const words = inOrder(method).map(wordOf);
        const good = words.map((word) => word.good).with(-1, 7);
        // Seven bytes take two words behind the length.
        const status = (count: number) => statusOf(decoder, contextOf(good, count), self);
        t.equal(status(1 + good.length + 2), Err.OK);
        t.equal(k.operands.byteCount, 7);
        const isLenient = payload.kind === "text" && payload.lenient === true;
        t.equal(status(1 + good.length + 1), isLenient ? Err.OK : Err.RANGE);
        if (isLenient) t.equal(k.operands.byteCount, 0);
        t.end();
      });
    }
  }
}

t.test("an argument that the deed judges reads as -1 if it is no integer of 32 bits", (t) => {
  const self = prepare(METHODS[0]);
  const words = inOrder(METHODS[0].methods[0]).map(wordOf);
  for (const value of [0.5, Number.NaN, 2 ** 31, -(2 ** 40)]) {
    const context = contextOf(words.map((word) => word.good).with(0, value));
    t.equal(statusOf(decoders.decodeUntypedRetype, context, self), Err.OK);
    t.equal(k.operands.type, -1, `${value}`);
  }
  t.end();
});
