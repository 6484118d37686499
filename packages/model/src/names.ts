/** Words of a machine's memory in the kernel's own terms. */
import type { Machine } from "./machine.js";
import { placeOf } from "./places.js";

/** A word as a counter-example names it: `attention of core 1`, `state of slot 104 of init`. */
export function nameOf(machine: Machine, word: number): string {
  const place = placeOf(machine, word);
  if (place === null) return `memory 0x${(word * 4).toString(16)}`;
  const field = place.field.toLowerCase().replaceAll("_", " ");
  return `${field}${place.behind === 0 ? "" : ` + ${place.behind}`} of ${place.of}`;
}
