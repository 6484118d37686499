/** A context whose guest is a generator. A trap is a yield of a small integer. */
import { type Context, Outcome } from "../context.js";
import { whyNoTrap } from "../fault.js";

/** %GeneratorFunction.prototype.prototype%.next, taken before any guest code could replace it. */
const { next } = Object.getPrototypeOf(Object.getPrototypeOf((function* () {})())) as {
  next(this: unknown, value: unknown): { done: unknown; value: unknown };
};

export class GeneratorContext implements Context {
  result = 0;
  trap = 0;
  status: unknown = 0;
  failure: unknown = undefined;
  // Fractions: the fields are doubles from the start.
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
      this.failure = new TypeError(whyNoTrap(value));
    } catch (error) {
      this.failure = error;
    }
    return Outcome.FAILED;
  }
}
