/**
 * Reference 0 is none, and where it leads is frame 0: a field that is written through one that nobody looked at lands
 * beside the words in use there, or in an entry 0 that no thread has.
 */
import type { PhysicalMemory } from "@capos/hal";
import { KernelInfo, Tables } from "@capos/kernel/layout";
import type { Problems } from "./problems.js";

const NONE = "nothing is written through a reference that is none";

/** Words that nobody has a use for, of those that an object's fields reach from 0: see `BootInfo` and `KernelInfo`. First and behind the last. */
const UNUSED: readonly (readonly [number, number])[] = Object.freeze([
  [0, 8],
  [14, 16],
  [31, 32],
  [34, 48],
  [50, 64],
  [67, 80],
  [82, 96],
  [98, 112],
  [113, 128],
  [129, 144],
  [146, 256],
]);

export function checkNone({ i32 }: PhysicalMemory, problems: Problems): void {
  for (const [first, end] of UNUSED)
    for (let word = first; word < end; word++)
      if (i32[word] !== 0) problems.add(NONE, `word ${word} of frame 0 is ${i32[word]}`);
  const tables = i32[KernelInfo.TABLES];
  for (const table of [Tables.THREAD_TABLE, Tables.CALL_NUMBERS]) {
    const entry = i32[i32[tables + table]];
    if (entry !== 0) problems.add(NONE, `entry 0 of the threads' table ${table} is ${entry}`);
  }
}
