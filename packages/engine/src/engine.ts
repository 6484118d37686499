/**
 * What a core runs guests with. An engine has a context kind for each kind of image that it can run; the kernel
 * sees this interface alone, and whoever makes a core chooses the engine.
 */
import type { Mmu, PhysicalMemory } from "@capos/hal";
import type { Context } from "./context.js";
import type { Fault } from "./fault.js";

/** A core as its engine sees it: what the guest's checks look at, and where they leave what they found. */
export interface EngineCore {
  readonly id: number;
  readonly memory: PhysicalMemory;
  readonly i32: Int32Array;
  /** Where its area stands: its progress is counted there, and the watchdog's word on it. */
  readonly area: number;
  /** The thread whose guest runs, and its context. */
  readonly current: number;
  readonly context: Context | null;
  /** By thread number; null where there is none. */
  readonly contexts: readonly (Context | null)[];
  /** The thread that is to be dropped as soon as its guest lets go, 0 for none. Comes with `ranLong`. */
  condemned: number;
  /** Why: it asked for more memory than there is, instead of running too long. */
  overBudget: boolean;
  /** The guest has run long enough since it was resumed for its checks to run out of fuel. */
  ranLong: boolean;
  /** Whether something wants the core while such a guest runs; called by its checks, wherever the stack ends. */
  isWanted(): boolean;
  /** What the guests' addresses lead to. */
  readonly mmu: Mmu;
  /** Has it use the address space of the guest that runs; false if there is none. Called on the guest's stack. */
  enterSpace(): boolean;
  /** Whether a guest's code runs, and not the kernel's. */
  inGuest(): boolean;
}

/** A kind of guest. */
export interface ContextKind {
  readonly name: string;
  /**
   * A context that has no guest yet: for a thread that is started, or one whose guest was lost.
   * @param isSystem of one of the system's processes, which is ended for want of memory after all others
   */
  make(regs: Float64Array, isSystem: boolean): Context;
  /**
   * Gives a context of this kind its guest: the image's code, with `startWords` words in the register file.
   * Runs guest code, and throws what that throws, or `ImageError`.
   * @param image place of a boot module in its store, which stays as it is while the guest runs
   */
  begin(context: Context, image: number, startWords: number): void;
}

export interface Engine {
  /** By the number that an image says it is of. */
  readonly kinds: readonly ContextKind[];
  /** Bytes in use on this worker's own heap. */
  heapBytes(): number;
  /**
   * Looks at the memory of its guests; for the loop, after a long run. Answers the number of the thread that is to be
   * ended because it holds most of it and it is used up; 0 for none.
   */
  overBudget(): number;
  /** Why a condemned guest was dropped, and where it was. */
  condemnation(): Fault;
}

/** An image that is not there, or is not what its kind says. */
export class ImageError extends Error {
  override readonly name = "ImageError";
}

/** What a process is told whose thread used up the memory of a core's guests. */
export function heapUsedUp(core: number): string {
  return `used up the memory of core ${core}`;
}
