/**
 * Reading memory that may be damaged: no read here fails, whatever a link says.
 */
import { MAX_CORES, MAX_MEMORY_MIB, MAX_NAME_BYTES, Slot, utf8Decode, visible } from "@capos/abi";
import { BootInfo, PAGE_WORDS, type PhysicalMemory, type WordIndex } from "@capos/hal";
import { KernelArea, KernelInfo, Process, Tables } from "@capos/kernel/layout";

/** A word, 0 outside of memory. */
export function wordAt(memory: PhysicalMemory, index: WordIndex): number {
  return memory.i32[index] ?? 0;
}

/** A double at a word index, 0 outside of memory or for what is no number. */
export function doubleAt(memory: PhysicalMemory, index: WordIndex): number {
  return memory.f64[index >> 1] || 0;
}

/** Words of physical memory. */
export function memoryWords(memory: PhysicalMemory): number {
  return clamp(wordAt(memory, BootInfo.MEMORY_PAGES), MAX_MEMORY_MIB * 256) * PAGE_WORDS;
}

/** True for the index of an object or slot: on a line of its own, in memory, not in frame 0. */
export function isLine(memory: PhysicalMemory, index: number): boolean {
  return index >= PAGE_WORDS && index % Slot.WORDS === 0 && index < memoryWords(memory);
}

/** A count that was read, held to what it can be. */
export function clamp(value: number, most: number): number {
  return Math.min(Math.max(value, 0), most);
}

/** Cores of the machine. */
export function coreCount(memory: PhysicalMemory): number {
  return clamp(wordAt(memory, BootInfo.CORES), MAX_CORES);
}

/** The kernel's tables, 0 while there are none. */
export function tablesOf(memory: PhysicalMemory): WordIndex {
  const tables = wordAt(memory, KernelInfo.TABLES);
  return isLine(memory, tables) && isLine(memory, tables + Tables.SIZE) ? tables : 0;
}

/** Length of a core's run queue; 0 while there are no tables. */
export function readyCount(memory: PhysicalMemory, tables: WordIndex, core: number): number {
  if (tables === 0) return 0;
  const area = wordAt(memory, tables + Tables.KERNEL_AREAS) + core * KernelArea.SIZE;
  return wordAt(memory, area + KernelArea.READY_COUNT);
}

/** Most thread numbers that a machine has. */
const MAX_THREADS = 16_384;

/** Thread numbers of the machine, with 0, which is none. */
export function threadLimit(memory: PhysicalMemory, tables: WordIndex): number {
  return clamp(wordAt(memory, tables + Tables.THREAD_LIMIT), MAX_THREADS);
}

/** Calls `see` for each thread in the thread table. */
export function forEachThread(
  memory: PhysicalMemory,
  see: (thread: WordIndex, number: number) => void,
): void {
  const tables = tablesOf(memory);
  if (tables === 0) return;
  const table = wordAt(memory, tables + Tables.THREAD_TABLE);
  const limit = threadLimit(memory, tables);
  for (let number = 1; number < limit; number++) {
    const thread = wordAt(memory, table + number);
    if (isLine(memory, thread)) see(thread, number);
  }
}

/** The text in `count` bytes from a word on. Guests chose it, so it is made fit for a terminal. */
export function textAt(memory: PhysicalMemory, index: WordIndex, count: number, most: number): string {
  const bytes: number[] = [];
  const length = clamp(count, most);
  for (let i = 0; i < length; i++) bytes.push(memory.u8[index * 4 + i] ?? 0);
  return visible(utf8Decode(bytes));
}

/** A process's name as the kernel keeps it. */
export function processName(memory: PhysicalMemory, process: WordIndex): string {
  if (process === 0) return "?";
  return textAt(memory, process + Process.NAME, wordAt(memory, process + Process.NAME_BYTES), MAX_NAME_BYTES);
}

/** A physical address of a word, for people. */
export function hex(index: WordIndex): string {
  return `0x${((index >>> 0) * 4).toString(16)}`;
}

/** The name of a number, or the number where it has none: in damaged memory any number is found. */
export function nameOf(names: readonly string[], value: number): string {
  return names[value] ?? String(value);
}

/** Names of the bits that are set. */
export function bitNames(names: Readonly<Record<number, string>>, word: number): string[] {
  const found: string[] = [];
  for (let bit = 0; bit < 32; bit++) {
    const name = names[(1 << bit) >>> 0];
    if (name !== undefined && (word & (1 << bit)) !== 0) found.push(name);
  }
  return found;
}
