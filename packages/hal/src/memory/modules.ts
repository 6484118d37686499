/**
 * Boot modules: the guest images that the host loads into physical memory, before power-on or later.
 *
 * A directory of fixed entries, then the bytes. An entry is free while nobody holds it. The host loads an image
 * into a free one and publishes it by storing HOLDERS last, with a hold of its own; the kernel takes a hold for
 * as long as it has an object for the image. Each takes and drops its own bit of HOLDERS by an atomic operation,
 * and whoever drops the last frees the entry and its bytes. Only the host turns a free entry into one that is
 * held, so it alone says where bytes go.
 *
 * An image's number counts loads and is never used twice: a number that outlived its image names nothing.
 */

import { ImageKind } from "@capos/abi";
import { BootInfo } from "./machine-map.js";
import { PAGE_WORDS, type PhysicalMemory, type WordIndex } from "./physical-memory.js";

const enum Directory {
  /** How many images were ever loaded: the number of the next. The host's. */
  LOADS = 0,
  ENTRIES = 16,
}

const enum Entry {
  /** `Holder` bits; 0 is a free entry. */
  HOLDERS = 0,
  NUMBER = 1,
  OFFSET = 2,
  BYTES = 3,
  NAME_BYTES = 4,
  /** An `ImageKind`. */
  KIND = 5,
  TEXT_BYTES = 6,
  WORDS = 8,
}

const enum Holder {
  HOST = 1,
  KERNEL = 2,
}

/** Images one machine can hold at one time. */
export const MAX_MODULES = 252;
/** Pages in front of the images' bytes. */
export const MODULE_DIRECTORY_PAGES = 2;
const DIRECTORY_WORDS = MODULE_DIRECTORY_PAGES * PAGE_WORDS;

/** The store for images is full. */
export class ModuleStoreFullError extends Error {
  override readonly name = "ModuleStoreFullError";
}

/** An image that no store of this machine has room for, however empty. */
export class ModuleTooLargeError extends Error {
  override readonly name = "ModuleTooLargeError";
}

/** An image of a kind that no core runs. */
export class ModuleKindError extends Error {
  override readonly name = "ModuleKindError";
}

function bytesBase(directory: WordIndex): number {
  return (directory + DIRECTORY_WORDS) * 4;
}

function entryAt({ i32 }: PhysicalMemory, index: number): WordIndex {
  return i32[BootInfo.MODULES] + Directory.ENTRIES + index * Entry.WORDS;
}

function isHeld(memory: PhysicalMemory, index: number): boolean {
  return Atomics.load(memory.i32, entryAt(memory, index) + Entry.HOLDERS) !== 0;
}

function sizeOf({ i32 }: PhysicalMemory, entry: WordIndex): number {
  return i32[entry + Entry.NAME_BYTES] + i32[entry + Entry.BYTES] + i32[entry + Entry.TEXT_BYTES];
}

/** Entries that somebody holds. */
function heldEntries(memory: PhysicalMemory): WordIndex[] {
  const entries: WordIndex[] = [];
  for (let index = 0; index < MAX_MODULES; index++)
    if (isHeld(memory, index)) entries.push(entryAt(memory, index));
  return entries;
}

/**
 * Host: loads an image, which it holds from then on, and answers its number.
 * @param text what is told to guests that run it: a program's arguments
 * @throws ModuleStoreFullError when name, code and text do not fit now, ModuleTooLargeError when they never do;
 * ModuleKindError for a kind that there is not.
 */
export function addModule(
  memory: PhysicalMemory,
  name: string,
  code: string,
  kind: number = ImageKind.GENERATOR,
  text = "",
): number {
  const { i32, u8 } = memory;
  if (!(Number.isInteger(kind) && kind >= 0 && kind < ImageKind.COUNT)) {
    throw new ModuleKindError(
      `image ${name}: kind ${kind} is out of range, 0 to ${ImageKind.COUNT - 1} are possible`,
    );
  }
  const directory = i32[BootInfo.MODULES];
  const encoder = new TextEncoder();
  const parts = [name, code, text].map((part) => encoder.encode(part));
  let index = 0;
  while (index < MAX_MODULES && isHeld(memory, index)) index++;
  if (index === MAX_MODULES) {
    throw new ModuleStoreFullError(
      `image ${name}: the machine holds ${MAX_MODULES} images and has no room for another`,
    );
  }
  const [nameBytes, codeBytes, textBytes] = parts.map((part) => part.length) as [number, number, number];
  const offset = findRoom(memory, name, nameBytes + codeBytes + textBytes);
  let at = bytesBase(directory) + offset;
  for (const part of parts) for (let i = 0; i < part.length; i++) u8[at++] = part[i];
  const entry = entryAt(memory, index);
  const number = i32[directory + Directory.LOADS]++;
  i32[entry + Entry.NUMBER] = number;
  i32[entry + Entry.OFFSET] = offset;
  i32[entry + Entry.BYTES] = codeBytes;
  i32[entry + Entry.NAME_BYTES] = nameBytes;
  i32[entry + Entry.TEXT_BYTES] = textBytes;
  i32[entry + Entry.KIND] = kind;
  Atomics.store(i32, entry + Entry.HOLDERS, Holder.HOST);
  return number;
}

/** The lowest place where `size` bytes fit between those of the images that are held. */
function findRoom(memory: PhysicalMemory, name: string, size: number): number {
  const { i32 } = memory;
  const capacity = (i32[BootInfo.MODULE_PAGES] * PAGE_WORDS - DIRECTORY_WORDS) * 4;
  if (size > capacity)
    throw new ModuleTooLargeError(
      `image ${name}: ${size} bytes do not fit into a store of ${capacity}; give the machine more memory`,
    );
  const held = heldEntries(memory).sort((a, b) => i32[a + Entry.OFFSET] - i32[b + Entry.OFFSET]);
  let offset = 0;
  let largest = 0;
  for (const entry of held) {
    const gap = i32[entry + Entry.OFFSET] - offset;
    if (gap >= size) return offset;
    largest = Math.max(largest, gap);
    offset = i32[entry + Entry.OFFSET] + sizeOf(memory, entry);
  }
  if (capacity - offset >= size) return offset;
  largest = Math.max(largest, capacity - offset);
  throw new ModuleStoreFullError(
    `image ${name}: ${size} bytes do not fit, ${largest} of ${capacity} are left in one piece; ` +
      `give the machine more memory`,
  );
}

/** Host: lets go of an image. It stays as long as the kernel has an object for it. */
export function unloadModule(memory: PhysicalMemory, number: number): void {
  drop(memory, findModule(memory, number), Holder.HOST);
}

/** The place of a loaded image in the store, by its number; -1 if there is none. */
export function findModule(memory: PhysicalMemory, number: number): number {
  for (let index = 0; index < MAX_MODULES; index++)
    if (memory.i32[entryAt(memory, index) + Entry.NUMBER] === number && isHeld(memory, index)) return index;
  return -1;
}

/** Kernel: holds the image with this number at a place of the store. False if it is not there any more. */
export function holdModule(memory: PhysicalMemory, index: number, number: number): boolean {
  const { i32 } = memory;
  const entry = entryAt(memory, index);
  let holders: number;
  for (;;) {
    holders = Atomics.load(i32, entry + Entry.HOLDERS);
    if (holders === 0) return false;
    const held = holders | Holder.KERNEL;
    if (Atomics.compareExchange(i32, entry + Entry.HOLDERS, holders, held) === holders) break;
  }
  // What was found there may have gone since, and another have been loaded into its place. It stays now.
  if (i32[entry + Entry.NUMBER] === number) return true;
  // The hold on that other may be somebody else's, who has an object for it.
  if ((holders & Holder.KERNEL) === 0) releaseModule(memory, index);
  return false;
}

/** Kernel: has no object for the image any more. */
export function releaseModule(memory: PhysicalMemory, index: number): void {
  drop(memory, index, Holder.KERNEL);
}

function drop(memory: PhysicalMemory, index: number, holder: Holder): void {
  if (index >= 0) Atomics.and(memory.i32, entryAt(memory, index) + Entry.HOLDERS, ~holder);
}

/** How many images there are. */
export function moduleCount(memory: PhysicalMemory): number {
  return heldEntries(memory).length;
}

/** Bytes that the images take: their names, code and texts. */
export function moduleBytes(memory: PhysicalMemory): number {
  return heldEntries(memory).reduce((bytes, entry) => bytes + sizeOf(memory, entry), 0);
}

/** The `ImageKind` of the image at a place of the store. */
export function moduleKind(memory: PhysicalMemory, index: number): number {
  return memory.i32[entryAt(memory, index) + Entry.KIND];
}

/** The number of the image at a place of the store. */
export function moduleNumber(memory: PhysicalMemory, index: number): number {
  return memory.i32[entryAt(memory, index) + Entry.NUMBER];
}

/** Name and code of the image at a place of the store, or null if there is none. */
export function readModule(memory: PhysicalMemory, index: number): { name: string; code: string } | null {
  if (!(Number.isInteger(index) && index >= 0 && index < MAX_MODULES && isHeld(memory, index))) return null;
  const { i32 } = memory;
  const entry = entryAt(memory, index);
  const start = bytesBase(i32[BootInfo.MODULES]) + i32[entry + Entry.OFFSET];
  const nameEnd = start + i32[entry + Entry.NAME_BYTES];
  return {
    name: decode(memory, start, nameEnd),
    code: decode(memory, nameEnd, nameEnd + i32[entry + Entry.BYTES]),
  };
}

/** What the image at a place of the store, which holds one, was loaded with for those who run it. */
export function moduleText(memory: PhysicalMemory, index: number): string {
  const { i32 } = memory;
  const entry = entryAt(memory, index);
  const end = bytesBase(i32[BootInfo.MODULES]) + i32[entry + Entry.OFFSET] + sizeOf(memory, entry);
  return decode(memory, end - i32[entry + Entry.TEXT_BYTES], end);
}

function decode(memory: PhysicalMemory, from: number, to: number): string {
  // TextDecoder takes no shared memory: decode a private copy.
  const copy = new Uint8Array(to - from);
  for (let i = from; i < to; i++) copy[i - from] = memory.u8[i];
  // What was stored comes back, also where it begins with U+FEFF.
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(copy);
}
