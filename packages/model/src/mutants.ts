/** The kernel's mutants by name. Each rule of the design that a race could break is removed by one of them. */
import { CAPABILITY_MUTANTS } from "./mutants/capabilities.js";
import { GRACE_MUTANTS } from "./mutants/grace-periods.js";
import { IMAGE_MUTANTS } from "./mutants/images.js";
import { MAPPING_MUTANTS } from "./mutants/mappings.js";
import { MESSAGE_MUTANTS } from "./mutants/messages.js";
import type { Mutant } from "./mutants/mutant.js";
import { THREAD_MUTANTS } from "./mutants/threads.js";

export type { Mutant } from "./mutants/mutant.js";

export const MUTANTS: readonly Mutant[] = [
  ...CAPABILITY_MUTANTS,
  ...GRACE_MUTANTS,
  ...IMAGE_MUTANTS,
  ...MAPPING_MUTANTS,
  ...MESSAGE_MUTANTS,
  ...THREAD_MUTANTS,
];

/** The mutant of a name, or undefined. */
export function mutantNamed(name: string): Mutant | undefined {
  return MUTANTS.find((mutant) => mutant.name === name);
}
