/** In place of kernel/guest/realm-cache.ts: guests are the scenario's generators, and need no realm of their own. */
import type { Core } from "@capos/kernel/internal";

export function makeRealm(): null {
  return null;
}

export function startGuest(_k: Core, _image: number, registers: Float64Array): unknown {
  return $host.startGuest(registers);
}
