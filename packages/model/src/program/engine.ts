/**
 * The engine of virtual cores: guests are a scenario's own generators, so none has to be distrusted, and what
 * one throws is a finding.
 *
 * Beside traps a guest yields the begin and the end of its operations. What a history says of two operations is
 * whether one ended before the other began; a load at each begin and an addition at each end, of one word, make
 * these two dependent on each other, so that the explorer tries both orders. Without that it would try one, where
 * the kernel's own accesses do not tell the two apart.
 */
import { Trap } from "@capos/abi";
import { type Context, type ContextKind, type EngineCore, faultWithoutPlace } from "@capos/engine";
import { PAGE_BYTES, Refusal, TLB_ENTRIES } from "@capos/hal";
import type { CoreParts } from "@capos/kernel/internal";
import { Instant } from "./instant.js";

/** `Outcome.DONE`. */
const DONE = -1;

class ScenarioContext implements Context {
  result = 0;
  trap = 0;
  status: unknown = 0;
  failure: unknown = undefined;
  foundHandle = 0.5;
  foundSlot = 0;
  foundEpoch = -1;
  waitHandle = 0.5;
  waitSlot = 0;
  waitEpoch = -1;
  foundHome = -1;
  faultReason = 0;
  faultAddress = 0.5;
  faultIsStore = false;

  generator: Generator<number, unknown, number> | null = null;

  constructor(
    readonly core: EngineCore,
    readonly regs: Float64Array,
  ) {}

  resume(): number {
    for (;;) {
      const step = this.generator!.next(this.result);
      if (step.done === true) {
        this.status = step.value;
        return DONE;
      }
      if (step.value >= 0) return step.value;
      const { i32 } = $host.memory;
      if (step.value === Instant.BEGIN) Atomics.load(i32, $host.instants);
      else if (step.value === Instant.END) Atomics.add(i32, $host.instants, 1);
      else if (step.value === Instant.CHECK) {
        // As the checks of real guests: see the generator engine's clock.
        this.core.ranLong = true;
        if (this.core.isWanted()) return Trap.PREEMPTED;
      } else if (step.value === Instant.LOAD || step.value === Instant.STORE)
        this.result = this.access(step.value === Instant.STORE);
      else this.result = Atomics.load(i32, Instant.LOOK - step.value);
    }
  }

  /**
   * A load or store of 32 bits as the generator engine's accessors make it: a look at the core's buffer, a walk if that does
   * not know the page, then the access, which is what others may come before. Answers what was loaded (0 if stored), or
   * minus the `Refusal`.
   */
  private access(isWrite: boolean): number {
    const { mmu } = this.core;
    const { i32 } = $host.memory;
    const { address, value } = $host.access;
    const page = Math.floor(address / PAGE_BYTES);
    const i = page % TLB_ENTRIES;
    const tag = isWrite ? mmu.writeTags[i] : mmu.readTags[i];
    if (address >= mmu.limit || tag !== page + mmu.base) {
      if (mmu.limit === 0 && !this.core.enterSpace()) return -Refusal.NO_SPACE;
      const refusal = mmu.walk(page, isWrite);
      if (refusal !== Refusal.NONE) return -refusal;
    }
    const word = (mmu.frames[i] + (address % PAGE_BYTES)) / 4;
    if (!isWrite) return Atomics.load(i32, word);
    Atomics.store(i32, word, value);
    return 0;
  }
}

class ScenarioKind implements ContextKind {
  readonly name = "scenario";

  constructor(readonly core: EngineCore) {}

  make(regs: Float64Array): ScenarioContext {
    return new ScenarioContext(this.core, regs);
  }

  begin(context: ScenarioContext): void {
    context.generator = $host.startGuest(context.regs) as Generator<number, unknown, number>;
  }
}

/** What a checked core is put together from. */
export const PARTS: CoreParts = Object.freeze({
  makeEngine: (core: EngineCore) => ({
    kinds: [new ScenarioKind(core)],
    heapBytes: () => 0,
    overBudget: () => 0,
    condemnation: () => faultWithoutPlace(""),
  }),
  describe: () => [],
});
