/** What a guest's checks tell the rest of the machine when their fuel is out. */
import type { EngineCore } from "@capos/engine";
import { makeChecks } from "@capos/engine/generator";
import { Attention, attentionOf } from "@capos/hal";
import t from "tap";
import { makeMachine } from "../support/machine.js";

function makeCore(): EngineCore {
  const { memory } = makeMachine(1);
  const { i32 } = memory;
  return {
    ...{ id: 0, memory, i32, attention: attentionOf(memory, 0), current: 1 },
    ...{ ticks: 0, tickedNs: 0, spentNs: 0 },
    ...{ condemned: false, overBudget: false, ranLong: false, quiescent: false },
    stopWatching: () => {},
  };
}

for (const check of ["tick", "tickMain"] as const) {
  t.test(`a core whose guest has run for long is quiescent from its first ${check} on`, (t) => {
    const core = makeCore();
    const { i32, attention } = core;
    const checks = makeChecks(core);
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
      makeChecks(core)[check]();
      t.equal(core.i32[core.attention], bit);
      t.notOk(core.quiescent);
    }
    t.end();
  });
}
