/** What a load or store throws that cannot be done: see `Sys.load8`. */

/** `no-address`: negative, a fraction, beyond 2^47. `no-space`: the process has no address space. */
export type FaultReason = "no-address" | "unaligned" | "no-space" | "not-mapped" | "not-allowed";

export type FaultAccess = "load" | "store";

/** An Error of this name, with what went wrong. */
export interface MemoryFault {
  readonly name: "MemoryFault";
  readonly message: string;
  /** The first address that could not be accessed. */
  readonly address: number;
  readonly access: FaultAccess;
  readonly reason: FaultReason;
}

/** Whether something that was thrown is a `MemoryFault`. */
export function isMemoryFault(error: unknown): error is MemoryFault {
  return error instanceof Error && error.name === "MemoryFault";
}
