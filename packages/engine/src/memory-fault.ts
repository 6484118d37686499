/** What a load or store that cannot be done throws into its guest. */
import type { FaultAccess, FaultReason, MemoryFault } from "@capos/abi";
import { Refusal } from "@capos/hal";

const REASONS: Readonly<Record<number, readonly [reason: FaultReason, text: string]>> = Object.freeze({
  [Refusal.NO_ADDRESS]: Object.freeze(["no-address", "no address: a whole number below 2^47 is"] as const),
  [Refusal.UNALIGNED]: Object.freeze([
    "unaligned",
    "not a multiple of the size of what is accessed",
  ] as const),
  [Refusal.NO_SPACE]: Object.freeze(["no-space", "the process has no address space"] as const),
  [Refusal.NOT_PRESENT]: Object.freeze(["not-mapped", "nothing is mapped there"] as const),
  [Refusal.NOT_ALLOWED]: Object.freeze(["not-allowed", "the mapping does not allow it"] as const),
});

const { defineProperties, freeze } = Object;

/** Makes the error, with the stack of who asks. */
export function memoryFault(address: number, isWrite: boolean, refusal: Refusal): Error & MemoryFault {
  const access: FaultAccess = isWrite ? "store" : "load";
  const [reason, text] = REASONS[refusal]!;
  const where = Number.isInteger(address) && address >= 0 ? `0x${address.toString(16)}` : `${address}`;
  const error = new Error(`${access} at ${where}: ${text}`);
  return freeze(
    defineProperties(error, {
      name: { value: "MemoryFault" },
      address: { value: address },
      access: { value: access },
      reason: { value: reason },
    }),
  ) as Error & MemoryFault;
}
