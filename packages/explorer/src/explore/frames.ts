/**
 * The stack of the search: for each step of the schedule that runs, which cores could have made it, which
 * did, and which still are to.
 */
import type { Op } from "./operation.js";
import { CoreStatus, type VirtualCore } from "./virtual-core.js";

/** Steps after which a schedule is one that never ends. */
export const MAX_STEPS = 20_000;

export class Frames {
  /** By depth; masks of cores but for `chosen` and `preemptions`. */
  readonly chosen = new Uint8Array(MAX_STEPS + 1);
  readonly enabled = new Uint8Array(MAX_STEPS + 1);
  readonly backtrack = new Uint8Array(MAX_STEPS + 1);
  readonly done = new Uint8Array(MAX_STEPS + 1);
  readonly asleep = new Uint8Array(MAX_STEPS + 1);
  /** Preemptions before this step. */
  readonly preemptions = new Uint16Array(MAX_STEPS + 1);
  /** By depth and core: the access that each core is about to make. */
  private readonly kinds: Uint8Array;
  private readonly unused: Uint8Array;
  private readonly words: Int32Array;

  constructor(private readonly cores: number) {
    this.kinds = new Uint8Array((MAX_STEPS + 1) * cores);
    this.unused = new Uint8Array((MAX_STEPS + 1) * cores);
    this.words = new Int32Array((MAX_STEPS + 1) * cores);
  }

  /** Notes what the cores are about to do at a depth. */
  note(depth: number, cores: readonly VirtualCore[]): void {
    const at = depth * this.cores;
    for (const core of cores) {
      this.kinds[at + core.id] = core.kind;
      this.unused[at + core.id] = core.isUnused ? 1 : 0;
      this.words[at + core.id] = core.status === CoreStatus.ENDED ? -1 : core.word;
    }
  }

  kind(depth: number, core: number): Op {
    return this.kinds[depth * this.cores + core];
  }

  isUnused(depth: number, core: number): boolean {
    return this.unused[depth * this.cores + core] !== 0;
  }

  word(depth: number, core: number): number {
    return this.words[depth * this.cores + core];
  }

  /** The first `depth` choices, a digit each. */
  path(depth: number): string {
    let path = "";
    for (let i = 0; i < depth; i++) path += this.chosen[i];
    return path;
  }
}
