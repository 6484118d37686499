/**
 * The registry: which process a badge stands for. Init answers it, services ask.
 *
 * Init calls nobody, so that nobody can make it wait; who wants to know something asks. A badge stands
 * for one process for ever, so an answer may be kept; only that the process still lives may change.
 */
import { Err, MAX_NAME_BYTES, type Sys } from "@capos/abi";
import { bool, IpcError, protocol, type Steps, textUpTo, u8, u32 } from "@capos/libos";

export const Registry = /* @__PURE__ */ protocol("registry", {
  /** The process that was given this badge: see `Identity`; `NOT_FOUND` once it has ended. */
  describe: { request: { badge: u32 }, reply: { name: textUpTo(MAX_NAME_BYTES), core: u8, labelled: bool } },
});

/** What the registry says of a process. */
export interface Identity {
  readonly name: string;
  readonly core: number;
  /** Whether its lines on the console begin with its name. */
  readonly labelled: boolean;
}

/** Asks who a badge stands for; null if that process has ended. */
export function* identify(sys: Sys, registry: number, badge: number): Steps<Identity | null> {
  try {
    return yield* Registry.client(sys, registry).describe({ badge });
  } catch (error) {
    if (error instanceof IpcError && error.code === Err.NOT_FOUND) return null;
    throw error;
  }
}

/** Those of the given badges whose processes have ended. */
export function* endedOf(sys: Sys, registry: number, badges: Iterable<number>): Steps<Set<number>> {
  const ended = new Set<number>();
  for (const badge of new Set(badges)) {
    if ((yield* identify(sys, registry, badge)) === null) ended.add(badge);
  }
  return ended;
}
