/**
 * Phase 3: the kernel's tables, taken once from the bottom of free memory, and untyped memory made of
 * all the rest. After this the kernel allocates nothing.
 */
import {
  INIT_CNODE_BITS,
  InitSlot,
  LifeState,
  MAX_ADDRESS_SPACES,
  MAX_FRAME_BITS,
  ObjectType,
  PAGE_BITS,
  PRIORITIES,
  Right,
  Slot,
  utf8Encode,
} from "@capos/abi";
import {
  BootInfo,
  ENTRY_WORDS,
  holdModule,
  KERNEL_HALF,
  MAX_MODULES,
  PAGE_WORDS,
  PageEntry,
  PageEntryHigh,
  PORT_COUNT,
  type WordIndex,
} from "@capos/hal";
import { fillSlot, slotWord } from "../capability/slot.js";
import { bindImage, imageAt } from "../object/image.js";
import { bindCSpace } from "../object/process.js";
import { makeCNode, writeHeader } from "../object/retype.js";
import { type Locked, lockTree, unlockTree } from "../smp/tree-lock.js";
import type { Core } from "../state/core.js";
import {
  Identifier,
  Image,
  IrqHandler,
  KernelArea,
  KernelInfo,
  Process,
  Tables,
  Thread,
} from "../state/layout.js";
import type {
  CNodeRef,
  NodeRef,
  PhysicalAddress,
  ProcessRef,
  SlotRef,
  ThreadRef,
} from "../state/references.js";
import { Vector } from "../state/vectors.js";

const MIN_THREADS = 256;
const MAX_THREADS = 16384;
const MAX_UNTYPED_BITS = 30;
/** Init's image is the first that the host loads: its place in the store, and its number. */
const INIT_IMAGE = 0;

/** What phase 3 leaves for init. */
export interface InitResources {
  readonly process: ProcessRef;
  readonly thread: ThreadRef;
  readonly generation: number;
  readonly untypedCount: number;
  readonly freeBytes: number;
}

/** Builds the tables and init's CSpace. */
export function buildTables(k: Core): InitResources {
  const { i32 } = k;
  let next = i32[BootInfo.FREE];
  const take = (words: number): WordIndex => {
    const start = next;
    next += Math.ceil(words / PAGE_WORDS) * PAGE_WORDS;
    return start;
  };
  const tables = take(Tables.SIZE);
  const threadLimit = Math.max(MIN_THREADS, Math.min(MAX_THREADS, (i32[BootInfo.MEMORY_PAGES] / 256) * 16));
  i32[tables + Tables.KERNEL_AREAS] = take(k.coreCount * KernelArea.SIZE);
  i32[tables + Tables.THREAD_TABLE] = take(threadLimit);
  i32[tables + Tables.THREAD_LIMIT] = threadLimit;
  i32[tables + Tables.NEXT_GENERATION] = 1;
  i32[tables + Tables.CALL_NUMBERS] = take(threadLimit);
  k.f64[(tables + Tables.ALARM_NS) >> 1] = Number.POSITIVE_INFINITY;
  i32[tables + Tables.IRQ_HANDLERS] = take(PORT_COUNT * IrqHandler.SIZE);
  i32[tables + Tables.IMAGES] = take(MAX_MODULES * Image.SIZE);
  i32[tables + Tables.IDENTIFIERS] = take((MAX_ADDRESS_SPACES + 1) * Identifier.SIZE);
  i32[tables + Tables.KERNEL_SPACE] = makeKernelSpace(k, take);
  const objects = take(Process.SIZE + Thread.SIZE);
  const cspace = take(2 ** INIT_CNODE_BITS * Slot.WORDS) as CNodeRef;
  Atomics.store(i32, KernelInfo.TABLES, tables);
  k.attachTables();

  // Process first would leave the thread unaligned: a thread is the larger of the two.
  const thread = objects as ThreadRef;
  const process = (objects + Thread.SIZE) as ProcessRef;
  // No other core runs yet; what fills slots asks for the lock all the same.
  const held = lockTree(k);
  makeCNode(held, cspace, 2 ** INIT_CNODE_BITS * Slot.WORDS);
  writeHeader(k, ObjectType.CNODE, cspace, INIT_CNODE_BITS);
  writeHeader(k, ObjectType.PROCESS, process, 0);
  writeHeader(k, ObjectType.THREAD, thread, 0);
  const root = (tables + Tables.ROOT) as NodeRef;
  i32[root] = slotWord(ObjectType.NONE, 0, 0, 0);
  makeImages(k);
  makeInitProcess(held, process, threadLimit - 1);
  const slotAt = (index: number): SlotRef => (cspace + index * Slot.WORDS) as SlotRef;
  const give = (index: number, type: ObjectType, object: WordIndex, sizeBits: number): void =>
    fillSlot(held, slotAt(index), slotWord(type, Right.ALL, 0, sizeBits), object, 0, root);
  give(InitSlot.CNODE, ObjectType.CNODE, cspace, INIT_CNODE_BITS);
  bindCSpace(held, process, slotAt(InitSlot.CNODE));
  give(InitSlot.PROCESS, ObjectType.PROCESS, process, 9);
  give(InitSlot.THREAD, ObjectType.THREAD, thread, 10);
  give(InitSlot.DEBUG, ObjectType.DEBUG, 0, 0);
  give(InitSlot.IMAGE_CONTROL, ObjectType.IMAGE_CONTROL, 0, 0);
  for (let port = 0; port < PORT_COUNT; port++) {
    const handler = i32[tables + Tables.IRQ_HANDLERS] + port * IrqHandler.SIZE;
    i32[handler + IrqHandler.VECTOR] = Vector.PORT + port;
    i32[handler + IrqHandler.PORT] = port;
    give(InitSlot.IO_PORT + port, ObjectType.IO_PORT, port, 0);
    give(InitSlot.IRQ_HANDLER + port, ObjectType.IRQ_HANDLER, handler, 0);
  }
  const blocks = blocksOf(next / PAGE_WORDS, i32[BootInfo.MEMORY_PAGES]);
  let freeBytes = 0;
  blocks.forEach((block, i) => {
    give(InitSlot.UNTYPED + i, ObjectType.UNTYPED, block.page * PAGE_WORDS, block.bits + PAGE_BITS);
    freeBytes += 2 ** (block.bits + PAGE_BITS);
  });
  unlockTree(held);
  return {
    process,
    thread,
    generation: i32[slotAt(1) + Slot.GENERATION],
    untypedCount: blocks.length,
    freeBytes,
  };
}

/**
 * The kernel's half of every address space: all of physical memory, from 0xffff_8000_0000_0000 on, in pages of 1 GiB that
 * are global, writable, not executable, and no guest's. Answers the table of level 4 that new address spaces copy it from.
 */
function makeKernelSpace(k: Core, take: (words: number) => WordIndex): WordIndex {
  const { i32 } = k;
  const root = take(PAGE_WORDS);
  const table = take(PAGE_WORDS);
  i32[root + KERNEL_HALF * ENTRY_WORDS] = (table * 4) | PageEntry.PRESENT | PageEntry.WRITABLE;
  const gibibytes = Math.ceil(i32[BootInfo.MEMORY_PAGES] / 2 ** (MAX_FRAME_BITS - PAGE_BITS));
  const flags = PageEntry.PRESENT | PageEntry.WRITABLE | PageEntry.HUGE | PageEntry.GLOBAL;
  for (let i = 0; i < gibibytes; i++) {
    i32[table + i * ENTRY_WORDS] = (i * 2 ** MAX_FRAME_BITS) | flags;
    i32[table + i * ENTRY_WORDS + 1] = PageEntryHigh.NO_EXECUTE;
  }
  return root;
}

/** An object for each place in the store. */
function makeImages(k: Core): void {
  for (let index = 0; index < MAX_MODULES; index++) {
    k.i32[imageAt(k, index) + Image.MODULE] = index;
    writeHeader(k, ObjectType.IMAGE, imageAt(k, index), 0);
  }
}

function makeInitProcess(k: Locked, process: ProcessRef, threads: number): void {
  const { i32 } = k;
  i32[process + Process.LIFE] = LifeState.RUNNING;
  i32[process + Process.IMAGE] = imageAt(k, INIT_IMAGE);
  if (holdModule(k.memory, INIT_IMAGE, INIT_IMAGE)) bindImage(k, process, imageAt(k, INIT_IMAGE));
  i32[process + Process.THREADS_LEFT] = threads;
  i32[process + Process.CEILING] = PRIORITIES - 1;
  i32[k.tables + Tables.NEXT_PROCESS] = 2;
  i32[process + Process.NUMBER] = 1;
  const name = utf8Encode("init");
  name.forEach((byte, i) => {
    k.memory.u8[(((process + Process.NAME) * 4) as PhysicalAddress) + i] = byte;
  });
  i32[process + Process.NAME_BYTES] = name.length;
  i32[k.tables + Tables.INIT_PROCESS] = process;
}

/** Naturally aligned powers of two that cover the pages from `first` up to `end`, largest first. */
export function blocksOf(first: number, end: number): { page: number; bits: number }[] {
  const blocks: { page: number; bits: number }[] = [];
  for (let page = first; page < end; ) {
    let bits = Math.min(
      31 - Math.clz32(page & -page),
      31 - Math.clz32(end - page),
      MAX_UNTYPED_BITS - PAGE_BITS,
    );
    if (page === 0) bits = Math.min(31 - Math.clz32(end), MAX_UNTYPED_BITS - PAGE_BITS);
    blocks.push({ page, bits });
    page += 2 ** bits;
  }
  blocks.sort((a, b) => b.bits - a.bits || a.page - b.page);
  return blocks.slice(0, InitSlot.MAX_UNTYPED);
}
