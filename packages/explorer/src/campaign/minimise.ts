/**
 * The simplest schedule that still fails in the same way: fewest preemptions, then fewest steps.
 *
 * First by changing the schedule that was found, a step or a block of one core's steps at a time, and
 * replaying it leniently: what the changed choices do not say, the machine fills in without preemptions.
 * Then, where the caller can, by searching all schedules with fewer preemptions than are left: only that
 * can show that fewer are not enough.
 */
import type { Failure, Replay } from "../explore/types.js";
import type { Finding } from "../explore/world.js";
import { type Block, fromBlocks, toBlocks } from "./choices.js";

export interface Minimiser {
  /** Replays choices leniently. */
  replay(choices: string): Pick<Replay, "failure">;
  /** True when no more time is to be spent. */
  isOver(): boolean;
  /**
   * Searches the schedules with at most so many preemptions for a failure that `wanted` accepts. Null: there is none;
   * undefined: not all of them could be searched.
   */
  search?(preemptions: number, wanted: (failure: Failure) => boolean): Failure | null | undefined;
}

export interface Minimal {
  readonly failure: Failure;
  /** True if no schedule with fewer preemptions fails like that: shown by search, or there are none. */
  readonly isFewest: boolean;
}

/** Whether two findings are the same: by kind, by message but for numbers, and by the places that they are about. */
export function isSameFinding(a: Finding, b: Finding): boolean {
  return (
    a.kind === b.kind && withoutNumbers(a.message) === withoutNumbers(b.message) && sitesOf(a) === sitesOf(b)
  );
}

function sitesOf({ sites }: Finding): string {
  return [...(sites ?? [])].sort((a, b) => a - b).join();
}

function withoutNumbers(text: string): string {
  return text.replace(/\d+/g, "#");
}

function isSimpler(a: Failure, b: Failure): boolean {
  if (a.preemptions !== b.preemptions) return a.preemptions < b.preemptions;
  return a.choices.length < b.choices.length;
}

/** The simplest failure that is found in the time given; the found one itself if there is none. */
export function minimise(found: Failure, minimiser: Minimiser): Minimal {
  let best = reduce(found, found, minimiser);
  for (let bound = 0; bound < best.preemptions; bound++) {
    const failure = minimiser.search?.(bound, (other) => isSameFinding(other, found));
    if (failure === undefined) return { failure: best, isFewest: false };
    if (failure !== null) {
      best = reduce(failure, found, minimiser);
      break;
    }
  }
  return { failure: best, isFewest: true };
}

/** Takes changes of the schedule for as long as one of them makes it simpler. */
function reduce(failure: Failure, found: Failure, minimiser: Minimiser): Failure {
  let best = failure;
  for (let improved = true; improved; ) {
    improved = false;
    for (const variants of [movedBlocks, withoutBlocks, withoutSteps]) {
      // Begun anew after each success: what follows is a variant of the schedule as it is now.
      let skip = 0;
      for (let changed = true; changed; ) {
        changed = false;
        let at = 0;
        for (const choices of variants(toBlocks(best.choices))) {
          if (minimiser.isOver()) return best;
          if (at++ < skip) continue;
          const { failure: other } = minimiser.replay(choices);
          if (other === null || !isSameFinding(other, found) || !isSimpler(other, best)) continue;
          best = other;
          improved = true;
          changed = true;
          // Those before it failed to help, and mostly do so still; a last round tries all of them again.
          skip = at - 1;
          break;
        }
      }
    }
  }
  return best;
}

/** Each block moved up to the one before of the same core: one preemption less, if it was one. */
function* movedBlocks(blocks: readonly Block[]): Generator<string> {
  for (let i = 1; i < blocks.length; i++) {
    const block = blocks[i];
    const before = blocks.findLastIndex(({ core }, at) => at < i && core === block.core);
    if (before >= 0) {
      const joined = [...blocks.slice(0, before + 1), block, ...blocks.slice(before + 1, i)];
      yield fromBlocks([...joined, ...blocks.slice(i + 1)]);
    }
    // Or the one before moved down to it.
    if (before > 0 || (before === 0 && i > 1)) {
      const joined = [...blocks.slice(0, before), ...blocks.slice(before + 1, i), blocks[before], block];
      yield fromBlocks([...joined, ...blocks.slice(i + 1)]);
    }
  }
}

/** Without pieces of the list of blocks, large ones first (Zeller's delta debugging). */
function* withoutBlocks(blocks: readonly Block[]): Generator<string> {
  for (let size = Math.ceil(blocks.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2))
    for (let at = 0; at < blocks.length; at += size)
      yield fromBlocks([...blocks.slice(0, at), ...blocks.slice(at + size)]);
}

/** Each block with fewer steps: the core's other steps come later, where nothing else says so. */
function* withoutSteps(blocks: readonly Block[]): Generator<string> {
  for (const [i, { core, steps }] of blocks.entries()) {
    const before = blocks.slice(0, i);
    const after = blocks.slice(i + 1);
    for (let less = Math.floor(steps / 2); less >= 1; less = Math.floor(less / 2))
      yield fromBlocks([...before, { core, steps: steps - less }, ...after]);
  }
}
