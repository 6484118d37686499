/**
 * A guest context: the part of a thread that can run. The kernel knows two verbs, resume and drop (it lets go of
 * the object); how a guest is made and what runs it is its kind's business (see engine.ts).
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
  /** What the guest returned; anything at all. */
  status: unknown;
  /** What the guest threw; anything at all: to be read by `faultOf` only. */
  failure: unknown;
  /** The kernel's: the handle that the thread last sent or invoked through, and the slot found for it in that epoch. */
  foundHandle: number;
  foundSlot: number;
  foundEpoch: number;
  /** The same of the handle that it last received or waited through: a server's loop uses one of each in turn. */
  waitHandle: number;
  waitSlot: number;
  waitEpoch: number;
  /** The kernel's: home of the endpoint in that slot when it was found, a hint. */
  foundHome: number;
  /** The load or store that failed last, for its page fault: a `Refusal`, 0 for none. Noted by whoever refused it. */
  faultReason: number;
  faultAddress: number;
  faultIsStore: boolean;
  /** Runs the guest to its next trap; answers the trap or an `Outcome`. Never throws. */
  resume(): number;
}

/** A register file whose view `lockdown()` cannot slow and whose buffer holds nothing else. */
export function makeRegisters(): Float64Array {
  return withoutPrototype(new Float64Array(Reg.COUNT));
}
