/**
 * A mutant: the kernel with one of its rules removed, by edits of functions before they are transformed.
 * A checker that cannot find it would not find the same mistake made in earnest.
 */
import type { Strategy } from "@capos/explorer";
import type { Edit } from "@capos/explorer/transform";

export interface Mutant {
  /** What "--mutant" takes. */
  readonly name: string;
  /** The rule that it removes, in one sentence. */
  readonly breaks: string;
  /** The scenario that finds it, and how the search goes. */
  readonly scenario: string;
  readonly strategy: Strategy;
  readonly edits: readonly Edit[];
}
