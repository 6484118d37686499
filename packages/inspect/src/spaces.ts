/**
 * Address spaces and what is mapped in them, read from their page tables. Nothing that is read is trusted: a table that
 * lies outside of memory has no entries, and so many entries are read at most.
 */
import { MAX_ADDRESS_SPACES, MAX_CORES, Slot, SlotBits, SlotState } from "@capos/abi";
import {
  ENTRY_WORDS,
  entryBits,
  KERNEL_HALF,
  PageEntry,
  type PhysicalMemory,
  rightsOf,
  TABLE_ENTRIES,
  type WordIndex,
} from "@capos/hal";
import { AddressSpace, Identifier, Process, Tables } from "@capos/kernel/layout";
import type { MappingInfo, SpaceInfo } from "./state.js";
import { isLine, processName, tablesOf, wordAt } from "./words.js";

/** Entries looked at in one address space, and runs of pages that are told. */
const MAX_ENTRIES = 262_144;
const MAX_MAPPINGS = 1024;

/** The address spaces that have an identifier, with the processes that use them. */
export function inspectSpaces(memory: PhysicalMemory, processes: readonly WordIndex[]): SpaceInfo[] {
  const tables = tablesOf(memory);
  if (tables === 0) return [];
  const identifiers = wordAt(memory, tables + Tables.IDENTIFIERS);
  const spaces: SpaceInfo[] = [];
  for (let identifier = 1; identifier <= MAX_ADDRESS_SPACES; identifier++) {
    const space = wordAt(memory, identifiers + identifier * Identifier.SIZE + Identifier.SPACE);
    if (!isLine(memory, space)) continue;
    const users = processes.filter((process) => spaceOf(memory, process) === space);
    spaces.push({
      identifier,
      address: space * 4,
      processes: users.map((process) => processName(memory, process)),
      cores: coresOf(memory, space),
      ...mappingsOf(memory, space),
    });
  }
  return spaces;
}

/** The address space that a process uses, 0 for none. */
function spaceOf(memory: PhysicalMemory, process: WordIndex): WordIndex {
  const binding = process + Process.SPACE_BINDING;
  return (wordAt(memory, binding) & SlotBits.STATE_MASK) === SlotState.LIVE
    ? wordAt(memory, binding + Slot.OBJECT)
    : 0;
}

function coresOf(memory: PhysicalMemory, space: WordIndex): number[] {
  const words = [AddressSpace.CORES_LOW, AddressSpace.CORES_HIGH].map((at) => wordAt(memory, space + at));
  return Array.from({ length: MAX_CORES }, (_, core) => core).filter(
    (core) => ((words[core >> 5] >> (core & 31)) & 1) === 1,
  );
}

/** Walks a space's lower half; neighbours with the same rights and marks are one run. */
function mappingsOf(
  memory: PhysicalMemory,
  space: WordIndex,
): { mappings: MappingInfo[]; tables: number; complete: boolean } {
  const mappings: MappingInfo[] = [];
  let left = MAX_ENTRIES;
  let tables = 0;
  let complete = true;
  const visit = (table: WordIndex, level: number, base: number): void => {
    const count = level === 4 ? KERNEL_HALF : TABLE_ENTRIES;
    for (let i = 0; i < count; i++) {
      if (left-- <= 0) {
        complete = false;
        return;
      }
      const low = wordAt(memory, table + i * ENTRY_WORDS);
      if ((low & PageEntry.PRESENT) === 0) continue;
      const start = base + i * 2 ** entryBits(level);
      const physical = (low & PageEntry.FRAME_MASK) >>> 0;
      if (level === 1 || (low & PageEntry.HUGE) !== 0) {
        const high = wordAt(memory, table + i * ENTRY_WORDS + 1);
        complete = add(mappings, start, level, physical, low, high) && complete;
      } else if (isLine(memory, physical / 4)) {
        tables++;
        visit(physical / 4, level - 1, start);
      }
    }
  };
  visit(space, 4, 0);
  return { mappings, tables, complete };
}

/** False if there are too many. */
function add(
  mappings: MappingInfo[],
  start: number,
  level: number,
  physical: number,
  low: number,
  high: number,
): boolean {
  const bytes = 2 ** entryBits(level);
  const entry = {
    address: start,
    bytes,
    pageBytes: bytes,
    physical,
    rights: rightsOf(low, high),
    accessedPages: (low & PageEntry.ACCESSED) !== 0 ? 1 : 0,
    dirtyPages: (low & PageEntry.DIRTY) !== 0 ? 1 : 0,
  };
  const last = mappings.at(-1);
  if (
    last !== undefined &&
    last.address + last.bytes === start &&
    last.physical + last.bytes === physical &&
    last.pageBytes === bytes &&
    last.rights === entry.rights
  ) {
    mappings[mappings.length - 1] = {
      ...last,
      bytes: last.bytes + bytes,
      accessedPages: last.accessedPages + entry.accessedPages,
      dirtyPages: last.dirtyPages + entry.dirtyPages,
    };
    return true;
  }
  if (mappings.length === MAX_MAPPINGS) return false;
  mappings.push(entry);
  return true;
}
