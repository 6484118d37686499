/**
 * A guest context: the part of a thread that can run. The kernel knows two verbs, resume and drop;
 * generators are the first kind.
 */
import { Reg } from "@capos/abi";
import { withoutPrototype } from "@capos/hal";

/** What `resume` answers instead of a trap when the guest did not trap. */
export const enum Outcome {
  /** Ended: `status` is what it returned. */
  DONE = -1,
  /** Threw, or yielded something that is no trap: `failure` is what. */
  FAILED = -2,
}

export interface Context {
  /** The register file: a small buffer of its own, shared with the guest alone. */
  readonly regs: Float64Array;
  /** What the trap in progress answers at the next resume. */
  result: number;
  /** The trap in progress, for a restart from its decode. */
  trap: number;
  status: unknown;
  failure: unknown;
  /** The handle that the thread used last, and the slot found for it in that epoch: see `currentSlot`. */
  foundHandle: number;
  foundSlot: number;
  foundEpoch: number;
  /** Home of the endpoint in that slot when it was found: a hint, the wrong core bounces. */
  foundHome: number;
  /** Runs the guest to its next trap; answers the trap or an `Outcome`. Never throws. */
  resume(): number;
}

/** A register file whose view `lockdown()` cannot slow and whose buffer holds nothing else. */
export function makeRegisters(): Float64Array {
  return withoutPrototype(new Float64Array(Reg.COUNT));
}

/** %GeneratorFunction.prototype.prototype%.next, taken before any guest code could replace it. */
const { next } = Object.getPrototypeOf(Object.getPrototypeOf((function* () {})())) as {
  next(this: unknown, value: unknown): { done: unknown; value: unknown };
};

/** A context whose guest is a generator. A trap is a yield of a small integer. */
export class GeneratorContext implements Context {
  result = 0;
  trap = 0;
  status: unknown = 0;
  failure: unknown = undefined;
  // A fraction: the field is a double from the start.
  foundHandle = 0.5;
  foundSlot = 0;
  foundEpoch = -1;
  foundHome = -1;

  private generator: unknown = null;

  constructor(readonly regs: Float64Array) {}

  /** Gives the context the generator that `main` made. */
  begin(generator: unknown): void {
    this.generator = generator;
  }

  resume(): number {
    try {
      // The intrinsic, not a property of the guest's object. `done` and `value` are read once, in
      // here: a guest that delegates to its own iterator hands the kernel an object with getters.
      const step = next.call(this.generator, this.result);
      const done = step.done;
      const value = step.value;
      if (done === false && typeof value === "number" && (value | 0) === value && value >= 0) return value;
      if (done === true) {
        this.status = value;
        return Outcome.DONE;
      }
      this.failure = new Error("the guest yielded something that is not a trap");
    } catch (error) {
      this.failure = error;
    }
    return Outcome.FAILED;
  }
}
