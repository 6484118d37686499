/**
 * In place of kernel/thread/context.ts: guests are a scenario's own, so none has to be distrusted, and what
 * one throws is a finding.
 *
 * Beside traps a guest yields the begin and the end of its operations. What a history says of two operations is
 * whether one ended before the other began; a load at each begin and an addition at each end, of one word, make
 * these two dependent on each other, so that the explorer tries both orders. Without that it would try one, where
 * the kernel's own accesses do not tell the two apart.
 */
import { Reg } from "@capos/abi";
import { withoutPrototype } from "@capos/hal";
import type { Context } from "@capos/kernel/internal";
import { Instant } from "./instant.js";

/** `Outcome.DONE` of the original. */
const DONE = -1;

/** As the original. */
export function makeRegisters(): Float64Array {
  return withoutPrototype(new Float64Array(Reg.COUNT));
}

export class GeneratorContext implements Context {
  result = 0;
  trap = 0;
  status: unknown = 0;
  failure: unknown = undefined;
  foundHandle = 0.5;
  foundSlot = 0;
  foundEpoch = -1;
  foundHome = -1;

  private generator: Generator<number, unknown, number> | null = null;

  constructor(readonly regs: Float64Array) {}

  begin(generator: unknown): void {
    this.generator = generator as Generator<number, unknown, number>;
  }

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
      else this.result = Atomics.load(i32, Instant.LOOK - step.value);
    }
  }
}
