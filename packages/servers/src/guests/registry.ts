/**
 * The registry: which process a badge stands for, and what the host wants to give to programs. Init answers it, services ask.
 *
 * Init calls nobody, so that nobody can make it wait; who wants to know something asks. A badge stands
 * for one process for ever, so an answer may be kept; only that the process still lives may change.
 */
import { Err, MAX_NAME_BYTES, type Sys } from "@capos/abi";
import {
  bool,
  capability,
  IpcError,
  protocol,
  type Slots,
  type Steps,
  textUpTo,
  u8,
  u32,
} from "@capos/libos";

export const Registry = /* @__PURE__ */ protocol("registry", {
  /** The process that was given this badge: see `Identity`; `NOT_FOUND` once it has ended. */
  describe: { request: { badge: u32 }, reply: { name: textUpTo(MAX_NAME_BYTES), core: u8, labelled: bool } },
  /**
   * Leaves a capability with init, for a program that the host is about to have started: a run names it by this number, 1 at
   * least. The bridge's alone: others get `DENIED`. `BUSY` for a number that is in use, `NO_RESOURCE` for too many.
   */
  deposit: { request: { number: u32, capability }, reply: {} },
  /**
   * Makes a child of the caller's known by a name of its own: it gets ways to names, log and console that stand for it and no other
   * process, for as long as the caller lives. For who was started to do that; others get `DENIED`.
   */
  adopt: {
    request: { name: textUpTo(MAX_NAME_BYTES), core: u8 },
    reply: { names: capability, log: capability, console: capability },
  },
  /** Init keeps it no longer. What has it by now keeps it. */
  withdraw: { request: { number: u32 }, reply: {} },
});

/** What the registry says of a process. */
export interface Identity {
  readonly name: string;
  readonly core: number;
  /** Whether its lines on the console begin with its name. */
  readonly labelled: boolean;
}

/** Asks who a badge stands for; null if that process has ended. */
export function* identify(sys: Sys, registry: number, slots: Slots, badge: number): Steps<Identity | null> {
  try {
    return yield* Registry.client(sys, registry, slots).describe({ badge });
  } catch (error) {
    if (error instanceof IpcError && error.code === Err.NOT_FOUND) return null;
    throw error;
  }
}

/** Those of the given badges whose processes have ended. */
export function* endedOf(
  sys: Sys,
  registry: number,
  slots: Slots,
  badges: Iterable<number>,
): Steps<Set<number>> {
  const ended = new Set<number>();
  for (const badge of new Set(badges)) {
    if ((yield* identify(sys, registry, slots, badge)) === null) ended.add(badge);
  }
  return ended;
}
