/**
 * Boot modules: the guest images that the host loads into physical memory, before power-on or later.
 *
 * A directory of fixed entries, then the bytes. An entry is published by storing COUNT last; entries
 * are never changed or removed, so an image number stays good for the machine's life.
 */

import { BootInfo } from "./machine-map.js";
import { PAGE_WORDS, type PhysicalMemory, type WordIndex } from "./physical-memory.js";

const enum Directory {
  COUNT = 0,
  /** Bytes used behind the directory. */
  USED = 1,
  ENTRIES = 16,
}

const enum Entry {
  OFFSET = 0,
  BYTES = 1,
  NAME_BYTES = 2,
  /** Which engine of a core runs it. */
  KIND = 3,
  WORDS = 4,
}

/** Images one machine can hold. */
export const MAX_MODULES = 252;
const DIRECTORY_WORDS = PAGE_WORDS;

/** The store for images is full. */
export class ModuleStoreFullError extends Error {
  override readonly name = "ModuleStoreFullError";
}

function bytesBase(directory: WordIndex): number {
  return (directory + DIRECTORY_WORDS) * 4;
}

/**
 * Host: adds an image and answers its number.
 * @throws ModuleStoreFullError when the name and code do not fit.
 */
export function addModule(memory: PhysicalMemory, name: string, code: string, kind = 0): number {
  const { i32, u8 } = memory;
  const directory = i32[BootInfo.MODULES]!;
  const encoder = new TextEncoder();
  const nameBytes = encoder.encode(name);
  const codeBytes = encoder.encode(code);
  const number = i32[directory + Directory.COUNT]!;
  const used = i32[directory + Directory.USED]!;
  const size = nameBytes.length + codeBytes.length;
  const capacity = (i32[BootInfo.MODULE_PAGES]! * PAGE_WORDS - DIRECTORY_WORDS) * 4;
  if (number >= MAX_MODULES) {
    throw new ModuleStoreFullError(
      `image ${name}: the machine holds ${MAX_MODULES} images and has no room for another`,
    );
  }
  if (used + size > capacity) {
    throw new ModuleStoreFullError(
      `image ${name}: ${size} bytes do not fit, ${capacity - used} of ${capacity} are left; give the machine more memory`,
    );
  }
  const start = bytesBase(directory) + used;
  for (let i = 0; i < nameBytes.length; i++) u8[start + i] = nameBytes[i]!;
  for (let i = 0; i < codeBytes.length; i++) u8[start + nameBytes.length + i] = codeBytes[i]!;
  const entry = directory + Directory.ENTRIES + number * Entry.WORDS;
  i32[entry + Entry.OFFSET] = used;
  i32[entry + Entry.BYTES] = codeBytes.length;
  i32[entry + Entry.NAME_BYTES] = nameBytes.length;
  i32[entry + Entry.KIND] = kind;
  i32[directory + Directory.USED] = used + size;
  Atomics.store(i32, directory + Directory.COUNT, number + 1);
  return number;
}

/** How many images there are. */
export function moduleCount(memory: PhysicalMemory): number {
  return Atomics.load(memory.i32, memory.i32[BootInfo.MODULES]! + Directory.COUNT);
}

/** Bytes that the images' names and code take. */
export function moduleBytes(memory: PhysicalMemory): number {
  return memory.i32[memory.i32[BootInfo.MODULES]! + Directory.USED] ?? 0;
}

/** The kind of an image; 0 if there is no such number. */
export function moduleKind(memory: PhysicalMemory, number: number): number {
  if (!(number >= 0 && number < moduleCount(memory))) return 0;
  return memory.i32[memory.i32[BootInfo.MODULES]! + Directory.ENTRIES + number * Entry.WORDS + Entry.KIND]!;
}

/** Name and code of an image, or null if there is no such number. */
export function readModule(memory: PhysicalMemory, number: number): { name: string; code: string } | null {
  if (!(number >= 0 && number < moduleCount(memory))) return null;
  const { i32 } = memory;
  const directory = i32[BootInfo.MODULES]!;
  const entry = directory + Directory.ENTRIES + number * Entry.WORDS;
  const start = bytesBase(directory) + i32[entry + Entry.OFFSET]!;
  const nameEnd = start + i32[entry + Entry.NAME_BYTES]!;
  return {
    name: decode(memory, start, nameEnd),
    code: decode(memory, nameEnd, nameEnd + i32[entry + Entry.BYTES]!),
  };
}

function decode(memory: PhysicalMemory, from: number, to: number): string {
  // TextDecoder takes no shared memory: decode a private copy.
  const copy = new Uint8Array(to - from);
  for (let i = from; i < to; i++) copy[i - from] = memory.u8[i]!;
  // What was stored comes back, also where it begins with U+FEFF.
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(copy);
}
