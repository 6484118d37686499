/** Names of processes. */
import { MAX_NAME_BYTES } from "@capos/abi";

/** As much of a name as the kernel keeps, in whole characters. */
export function shortName(name: string): string {
  const bytes = new TextEncoder().encode(name).subarray(0, MAX_NAME_BYTES);
  return new TextDecoder().decode(bytes, { stream: true });
}
