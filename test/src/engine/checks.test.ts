/** What a guest's checks tell the rest of the machine when their fuel is out. */
import { GuestHeap, makeClock } from "@capos/engine/generator";
import { Attention, CoreArea, progressOf } from "@capos/hal";
import { Core, type CoreId, type ThreadRef } from "@capos/kernel/internal";
import t from "tap";
import { makeMachine } from "../support/machine.js";

function makeCore(): Core {
  const core = new Core(0 as CoreId, makeMachine(1).memory);
  core.current = 1 as ThreadRef;
  return core;
}

for (const check of ["tick", "tickMain"] as const) {
  t.test(`a core whose guest has run for long is quiescent from its first ${check} on`, (t) => {
    const core = makeCore();
    const { i32, attention } = core;
    const checks = makeClock(core, new GuestHeap(core)).checks;
    checks[check]();
    t.equal(i32[attention], Attention.QUIESCENT);
    t.ok(core.quiescent && core.ranLong, "and the kernel's loop is told");
    i32[attention] |= Attention.POKE;
    const isWanted = checks[check]();
    t.equal(i32[attention], Attention.QUIESCENT | Attention.POKE, "what wants the core is left for it");
    if (check === "tickMain") t.equal(isWanted, true, "and the guest lets go");
    t.end();
  });

  t.test(`a core that is wanted is not made quiescent by a ${check}`, (t) => {
    for (const bit of [Attention.GRACE, Attention.POKE, Attention.INTERRUPT, 1 << 31]) {
      const core = makeCore();
      core.i32[core.attention] = bit;
      makeClock(core, new GuestHeap(core)).checks[check]();
      t.equal(core.i32[core.attention], bit);
      t.notOk(core.quiescent);
    }
    t.end();
  });
}

t.test("a guest is condemned by what the watchdog says of what it is at, and of nothing else", (t) => {
  const core = makeCore();
  const { i32, area } = core;
  const checks = makeClock(core, new GuestHeap(core)).checks;
  i32[area + CoreArea.HEARTBEAT] = 5;
  const at = progressOf(i32, area);
  checks.tick();
  i32[area + CoreArea.SPENT] = at;
  checks.tickMain();
  t.doesNotThrow(checks.tick, "it has had a turn since");
  i32[area + CoreArea.SPENT] = progressOf(i32, area);
  t.throws(checks.tick);
  t.equal(core.condemned, core.current, "the thread whose guest runs, and no other");
  t.end();
});

t.test("a core that was never judged is not condemned when its count comes to nought again", (t) => {
  const core = makeCore();
  core.i32[core.area + CoreArea.HEARTBEAT] = 0;
  t.doesNotThrow(makeClock(core, new GuestHeap(core)).checks.tick);
  t.end();
});
