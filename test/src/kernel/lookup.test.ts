import { Err, InitSlot, Method, makeHandle, ObjectType, Reg, Right, Slot, SlotFlag } from "@capos/abi";
import { makeRegisters } from "@capos/engine";
import { GeneratorContext } from "@capos/engine/generator";
import { nowNs } from "@capos/hal";
import {
  attend,
  type Core,
  currentSlot,
  deriveSlot,
  findSlot,
  invokeCNode,
  killSlot,
  moveSlot,
  refusal,
  requestGrace,
  type SlotRef,
} from "@capos/kernel/internal";
import fc from "fast-check";
import t from "tap";
import { useSeed } from "../support/machine.js";
import { handleIn, messageOf } from "./support/processes.js";
import { makeBench } from "./support/slots.js";
import { settle } from "./support/tree.js";

useSeed(t);

const bench = makeBench(2);
const { i32, cores, slotAt, locked, thread } = bench;
const [zero, one] = cores as [Core, Core];
const { f64 } = zero;

/** A context whose traps name what a slot holds. */
function naming(slot: SlotRef): GeneratorContext {
  const context = new GeneratorContext(makeRegisters());
  context.regs[Reg.HANDLE] = handleIn(bench, bench.cspace, slot);
  return context;
}

/** Gives a slot's capability a time limit, so many nanoseconds from now. */
function limit(slot: SlotRef, ns: number): void {
  f64[(slot + Slot.EXPIRY) >> 1] = nowNs() + ns;
  i32[slot] |= SlotFlag.EXPIRES;
}

t.test(
  "what can be used is found; what is sealed, over, dead or named by an old handle is refused for that reason",
  (t) => {
    const kinds = fc.constantFrom(
      "open",
      "sealed",
      "later",
      "over",
      "over and sealed",
      "dead",
      "moved",
      "next tenant",
    );
    fc.assert(
      fc.property(fc.array(kinds, { minLength: 1, maxLength: 20 }), (all) => {
        bench.renew(14);
        const [top] = bench.make(ObjectType.ENDPOINT, 0, 1, 100) as [SlotRef];
        all.forEach((kind, i) => {
          const slot = slotAt(110 + i);
          const sealed = kind === "sealed" || kind === "over and sealed" ? SlotFlag.SEALED : 0;
          locked(zero, (held) => deriveSlot(held, top, slot, Right.ALL, 0, sealed));
          if (kind === "later") limit(slot, 1e15);
          if (kind === "over" || kind === "over and sealed") limit(slot, -1);
          const handle = handleIn(bench, bench.cspace, slot);
          if (kind === "dead" || kind === "next tenant") locked(zero, (held) => killSlot(held, slot));
          if (kind === "moved") locked(zero, (held) => moveSlot(held, slot, slotAt(200 + i), Right.ALL));
          if (kind === "next tenant") {
            settle(cores);
            bench.make(ObjectType.ENDPOINT, 0, 1, 110 + i);
            if (findSlot(zero, thread, handleIn(bench, bench.cspace, slot)) !== slot)
              throw new Error("the tenant is not found");
          }
          const expected: Record<typeof kind, number> = {
            open: Err.OK,
            later: Err.OK,
            sealed: Err.SEALED,
            over: Err.EXPIRED,
            "over and sealed": Err.EXPIRED,
            dead: Err.BAD_CAP,
            moved: Err.BAD_CAP,
            "next tenant": Err.BAD_CAP,
          };
          const found = findSlot(zero, thread, handle);
          if (found !== (expected[kind] === Err.OK ? slot : 0))
            throw new Error(`${kind} is ${found === 0 ? "not " : ""}found`);
          if (found === 0 && refusal(zero, thread, handle) !== expected[kind])
            throw new Error(`${kind} is refused with ${refusal(zero, thread, handle)}`);
        });
      }),
      { numRuns: 100 },
    );
    t.end();
  },
);

t.test("a capability with a time limit is looked at each time, and not found from its time on", (t) => {
  bench.renew(14);
  const [slot] = bench.make(ObjectType.ENDPOINT, 0, 1, 100) as [SlotRef];
  limit(slot, 1e15);
  const context = naming(slot);
  t.equal(currentSlot(zero, thread, context), slot);
  f64[(slot + Slot.EXPIRY) >> 1] = nowNs() - 1;
  t.equal(currentSlot(zero, thread, context), 0, "without any grace period");
  t.end();
});

t.test("what a context remembers is one handle in one epoch of one core: any other is looked up", (t) => {
  bench.renew(14);
  const [a, b] = bench.make(ObjectType.ENDPOINT, 0, 2, 100) as [SlotRef, SlotRef];
  const context = naming(a);
  t.equal(currentSlot(zero, thread, context), a);
  context.regs[Reg.HANDLE] = handleIn(bench, bench.cspace, b);
  t.equal(currentSlot(zero, thread, context), b, "another handle");
  context.regs[Reg.HANDLE] = Number.NaN;
  t.equal(currentSlot(zero, thread, context), 0);
  context.regs[Reg.HANDLE] = context.foundHandle;
  const epoch = context.foundEpoch;
  requestGrace(one);
  attend(zero);
  t.not(zero.graceEpoch, epoch);
  t.equal(currentSlot(zero, thread, context), b, "looked up again after a grace period");
  t.equal(context.foundEpoch, zero.graceEpoch);
  t.end();
});

t.test(
  "a sealed capability can be carried and passed on, sealed as it is, and opened by its sealer alone",
  (t) => {
    bench.renew(14);
    const [top] = bench.make(ObjectType.ENDPOINT, 0, 1, 100) as [SlotRef];
    const [right, wrong] = bench.make(ObjectType.SEALER, 0, 2, 101) as [SlotRef, SlotRef];
    const invoke = (method: Method, to: number, source: SlotRef, third: number): number => {
      const context = messageOf([method, to, handleIn(bench, bench.cspace, source), third]);
      invokeCNode(zero, thread, context, slotAt(InitSlot.CNODE), method);
      return context.result < 0 ? context.result : Err.OK;
    };
    const by = (sealer: number): number => handleIn(bench, bench.cspace, sealer);
    t.equal(invoke(Method.CNODE_SEAL, 110, top, by(right)), Err.OK);
    t.equal(invoke(Method.CNODE_SEAL, 111, slotAt(110), by(wrong)), Err.SEALED, "once");
    t.equal(invoke(Method.CNODE_COPY, 112, slotAt(110), Right.ALL), Err.OK);
    t.equal(refusal(zero, thread, by(slotAt(112))), Err.SEALED, "a copy is as closed");
    t.equal(invoke(Method.CNODE_UNSEAL, 113, slotAt(112), by(wrong)), Err.DENIED);
    t.equal(invoke(Method.CNODE_UNSEAL, 113, top, by(right)), Err.BAD_TYPE, "an open one");
    t.equal(invoke(Method.CNODE_UNSEAL, 113, slotAt(112), by(right)), Err.OK);
    t.equal(findSlot(zero, thread, by(slotAt(113))), slotAt(113));
    t.equal(i32[slotAt(113) + Slot.OBJECT], i32[top + Slot.OBJECT]);
    locked(zero, (held) => killSlot(held, slotAt(110)));
    t.equal(
      findSlot(zero, thread, makeHandle(113, 5)),
      slotAt(113),
      "it goes with its own line, not with a deletion above it",
    );
    t.end();
  },
);
