/** How many cores a machine has unless told. */
import { availableParallelism } from "node:os";
import { MAX_CORES } from "@capos/abi";

/** As many as there are hardware threads; two at least, for what is between cores. */
export function defaultCores(): number {
  return Math.min(MAX_CORES, Math.max(2, availableParallelism()));
}
