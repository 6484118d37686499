/** An inspection of damaged memory: it ends, throws nothing, and says what it found where it can. */
import { Slot } from "@capos/abi";
import { BootInfo, type PhysicalMemory } from "@capos/hal";
import { dump, inspect, partsOf, render } from "@capos/inspect";
import fc from "fast-check";
import t from "tap";
import { useSeed } from "../support/machine.js";
import { makeSmallSystem } from "./support/written-machine.js";

/** Everything that can be asked of a memory. Far more lines than any of these machines has would be a walk without an end. */
function lookAtAll(memory: PhysicalMemory): number {
  const state = inspect(memory, { lock: false });
  JSON.stringify(state);
  partsOf(state);
  return render(state).length + dump(memory).length;
}

t.test("a link that leads nowhere, into a circle or out of memory is noted and not followed", (t) => {
  const damages: [string, (system: ReturnType<typeof makeSmallSystem>) => [number, number], RegExp][] = [
    ["no slot", ({ untyped }) => [untyped + Slot.FIRST_CHILD, 0x1234_5677], /first child .* is no slot/],
    [
      "out of memory",
      ({ untyped }) => [untyped + Slot.FIRST_CHILD, 0x7fff_fff0],
      /first child .* is no slot/,
    ],
    ["below 0", ({ initSlot }) => [initSlot(20) + Slot.NEXT_SIBLING, -16], /next sibling .* is no slot/],
    [
      "its ancestor",
      ({ initSlot, untyped }) => [initSlot(22) + Slot.FIRST_CHILD, untyped],
      /first child .* stands elsewhere too/,
    ],
    ["itself", ({ initSlot }) => [initSlot(24) + Slot.NEXT_SIBLING, initSlot(24)], /stands elsewhere too/],
    ["another parent", ({ echoSlot }) => [echoSlot(5) + Slot.PARENT, 64], /its parent is .* says otherwise/],
    ["another neighbour", ({ echoSlot }) => [echoSlot(6) + Slot.PREVIOUS_SIBLING, 64], /says otherwise/],
  ];
  for (const [what, damage, expected] of damages) {
    const system = makeSmallSystem();
    const [at, value] = damage(system);
    system.memory.i32[at] = value;
    const state = inspect(system.memory.machine.memory, { lock: true });
    t.match(state.machine.damage.join("\n"), expected, what);
    t.match(render(state).join("\n"), expected, `${what}, in the text`);
    t.ok(state.tree.nodes.length > 1, "the rest is told");
  }
  t.end();
});

t.test("whatever words are scribbled over the tables, an inspection ends and throws nothing", (t) => {
  useSeed(t);
  const interesting = fc.oneof(
    fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    fc.integer({ min: 0, max: 2 ** 22 }).map((line) => line * 16),
    fc.constantFrom(0, 1, -1, 16, 0x7fff_ffff, -0x8000_0000, 0x7fff_fff0),
  );
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), interesting), { maxLength: 400 }),
      fc.boolean(),
      (scribbles, wild) => {
        const { memory, echoSlot } = makeSmallSystem();
        const first = memory.i32[BootInfo.FREE];
        const end = echoSlot(16) + 4096;
        const used: number[] = [];
        // Where something stands, or anywhere: most of memory is zero, and damage to it is seen by nobody.
        for (let at = first; at < end; at++) if (wild || memory.i32[at] !== 0) used.push(at);
        for (const [where, value] of scribbles)
          memory.i32[used[Math.floor(where * (used.length - 1))]] = value;
        return lookAtAll(memory.machine.memory) < 20_000;
      },
    ),
    { numRuns: 150 },
  );
  t.end();
});

t.test("whatever is scribbled over the boot information, an inspection ends and throws nothing", (t) => {
  useSeed(t);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 16, max: 150 }), fc.integer()), { minLength: 1, maxLength: 20 }),
      (scribbles) => {
        const { memory } = makeSmallSystem();
        for (const [at, value] of scribbles) memory.i32[at] = value;
        return lookAtAll(memory.machine.memory) < 20_000;
      },
    ),
    { numRuns: 200 },
  );
  t.end();
});

t.test("memory of nothing but noise is told", (t) => {
  const seed = useSeed(t);
  const { memory } = makeSmallSystem();
  const { i32, tables } = memory;
  let noise = seed | 1;
  for (let at = tables + 64; at < tables + 2 ** 18; at++) {
    noise = Math.imul(noise, 1664525) + 1013904223;
    i32[at] = noise;
  }
  t.ok(lookAtAll(memory.machine.memory) < 20_000);
  t.end();
});
