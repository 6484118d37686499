/**
 * Where a word of a machine's memory stands: in what, in which of its fields. Names of fields are the layouts'
 * own: the enums are there at run time too.
 */
import * as abi from "@capos/abi";
import { ObjectType, Slot, SlotBits } from "@capos/abi";
import * as hal from "@capos/hal";
import {
  BootInfo,
  CoreArea,
  ENTRY_WORDS,
  LINE_WORDS,
  PAGE_WORDS,
  TABLE_ENTRIES,
  type WordIndex,
} from "@capos/hal";
import * as kernel from "@capos/kernel/layout";
import {
  AddressSpace,
  Endpoint,
  Image,
  KernelArea,
  KernelInfo,
  Monitor,
  Notification,
  Process,
  Tables,
  Thread,
} from "@capos/kernel/layout";
import type { Machine } from "./machine.js";

/** The enums that describe memory, by name. */
const LAYOUTS = { ...abi, ...hal, ...kernel } as unknown as Readonly<Record<string, Layout>>;

type Layout = Readonly<Record<string | number, string | number>>;

export interface Place {
  /** What it is in, for people: `core 1`, `slot 5 of init`. */
  readonly of: string;
  /** The enum that describes that, and its member that the word belongs to. */
  readonly layout: string;
  readonly field: string;
  /** How many words behind the field's first it is. */
  readonly behind: number;
}

/** Where a word stands; null in memory that nothing is known of. */
export function placeOf(machine: Machine, word: WordIndex): Place | null {
  const { i32 } = machine;
  if (word < PAGE_WORDS) return inFrame0(machine, word);
  if (word < i32[BootInfo.RINGS]) {
    const at = word - i32[BootInfo.CORE_AREAS];
    return inCoreArea(Math.floor(at / CoreArea.WORDS), at % CoreArea.WORDS);
  }
  if (word < i32[BootInfo.PORTS]) return inRings(machine, word - i32[BootInfo.RINGS]);
  return inTables(machine, word) ?? inObjects(machine, word) ?? inSlots(machine, word);
}

function place(of: string, layout: string, offset: number): Place {
  const names = LAYOUTS[layout];
  // A field that is an array begins further down.
  let first = offset;
  while (first > 0 && typeof names[first] !== "string") first--;
  return { of, layout, field: String(names[first] ?? "?"), behind: offset - first };
}

function inFrame0(machine: Machine, word: WordIndex): Place {
  if (word === machine.instants) return { of: "guests", layout: "Guests", field: "INSTANTS", behind: 0 };
  const isKernels = word >= BootInfo.TENANT && word < BootInfo.ALARM_NS;
  return place("machine", isKernels ? "KernelInfo" : "BootInfo", word);
}

function inCoreArea(core: number, offset: number): Place {
  if (offset >= CoreArea.LAPIC) return place(`LAPIC of core ${core}`, "Lapic", offset - CoreArea.LAPIC);
  const isKernels = offset >= CoreArea.TENANT && offset < CoreArea.RING_WRITE;
  return place(`core ${core}`, isKernels ? "KernelCore" : "CoreArea", offset);
}

function inRings({ i32, cores }: Machine, offset: number): Place {
  const line = Math.floor(offset / LINE_WORDS);
  const lines = i32[BootInfo.RING_LINES];
  const ring = Math.floor(line / lines);
  const of = `line ${line % lines} of the ring from core ${ring % cores} to core ${Math.floor(ring / cores)}`;
  return place(of, "Line", offset % LINE_WORDS);
}

function inTables({ i32, cores }: Machine, word: WordIndex): Place | null {
  const tables = i32[KernelInfo.TABLES];
  const within = (start: number, words: number): boolean => word >= start && word < start + words;
  if (within(tables + Tables.ROOT, Slot.WORDS)) return place("root", "Slot", word - tables - Tables.ROOT);
  if (within(tables, Tables.SIZE)) return place("tables", "Tables", word - tables);
  const areas = i32[tables + Tables.KERNEL_AREAS];
  if (within(areas, cores * KernelArea.SIZE)) {
    const core = Math.floor((word - areas) / KernelArea.SIZE);
    return place(`core ${core}`, "KernelArea", (word - areas) % KernelArea.SIZE);
  }
  for (const field of ["THREAD_TABLE", "CALL_NUMBERS"] as const) {
    const start = i32[tables + (field === "THREAD_TABLE" ? Tables.THREAD_TABLE : Tables.CALL_NUMBERS)];
    if (within(start, i32[tables + Tables.THREAD_LIMIT]))
      return { of: `thread ${word - start}`, layout: "Tables", field, behind: 0 };
  }
  return null;
}

/** Which slots an object holds, by type, and what describes the rest. */
const OBJECTS: Partial<Record<ObjectType, { layout: string; words: number; slots: Record<string, number> }>> =
  {
    [ObjectType.ENDPOINT]: { layout: "Endpoint", words: Endpoint.SIZE, slots: { header: Endpoint.HEADER } },
    [ObjectType.NOTIFICATION]: {
      layout: "Notification",
      words: Notification.SIZE,
      slots: { header: Notification.HEADER },
    },
    [ObjectType.THREAD]: {
      layout: "Thread",
      words: Thread.SIZE,
      slots: { binding: Thread.BINDING, header: Thread.HEADER },
    },
    [ObjectType.PROCESS]: {
      layout: "Process",
      words: Process.SIZE,
      slots: { image: Process.IMAGE_BINDING, binding: Process.BINDING, header: Process.HEADER },
    },
    [ObjectType.MONITOR]: {
      layout: "Monitor",
      words: Monitor.SIZE,
      slots: { target: Monitor.TARGET, notification: Monitor.NOTIFICATION, header: Monitor.HEADER },
    },
    [ObjectType.IMAGE]: { layout: "Image", words: Image.SIZE, slots: { header: Image.HEADER } },
    [ObjectType.ADDRESS_SPACE]: {
      layout: "AddressSpace",
      words: AddressSpace.SIZE,
      slots: { header: AddressSpace.HEADER },
    },
    [ObjectType.SEALER]: { layout: "ObjectHeader", words: Slot.WORDS, slots: { header: 0 } },
  };

const TABLE_WORDS = TABLE_ENTRIES * ENTRY_WORDS;

function hasEntries(type: ObjectType): boolean {
  return type === ObjectType.PAGE_TABLE || type === ObjectType.ADDRESS_SPACE;
}

function inTable(name: string, offset: number): Place {
  const field = offset % ENTRY_WORDS === 0 ? "LOW" : "HIGH";
  return {
    of: `entry ${Math.floor(offset / ENTRY_WORDS)} of ${name}`,
    layout: "PageTable",
    field,
    behind: 0,
  };
}

function inObjects(machine: Machine, word: WordIndex): Place | null {
  // Last first: what is made of memory that has a name is more exact than that.
  for (let i = machine.named.length - 1; i >= 0; i--) {
    const { at, type, name } = machine.named[i];
    const offset = word - at;
    if (offset >= 0 && offset < TABLE_WORDS && hasEntries(type)) return inTable(name, offset);
    if (offset >= 0 && offset < TABLE_WORDS && type === ObjectType.FRAME)
      return { of: name, layout: "Frame", field: "WORD", behind: offset };
    const object = OBJECTS[type];
    if (object === undefined || offset < 0 || offset >= object.words) continue;
    for (const [slot, first] of Object.entries(object.slots))
      if (offset >= first && offset < first + Slot.WORDS)
        return inSlot(`${slot} of ${name}`, slot === "header", offset - first);
    return place(name, object.layout, offset);
  }
  return null;
}

function inSlot(of: string, isAnchor: boolean, offset: number): Place {
  const isOwn = isAnchor && typeof LAYOUTS.ObjectHeader![offset] === "string";
  return place(of, isOwn ? "ObjectHeader" : "Slot", offset);
}

/** Slots of CNodes: those of init, and others that the machine knows by name. */
function inSlots(machine: Machine, word: WordIndex): Place | null {
  for (const { at, words, name } of cnodesOf(machine)) {
    const index = Math.floor((word - at) / Slot.WORDS);
    if (word < at || word >= at + words) continue;
    const offset = (word - at) % Slot.WORDS;
    return index === 0
      ? inSlot(`header of ${name}`, true, offset)
      : inSlot(`slot ${index} of ${name}`, false, offset);
  }
  return null;
}

export interface NamedCNode {
  readonly at: WordIndex;
  readonly words: number;
  readonly name: string;
}

/** The CNodes of a scenario, init's first. */
export function cnodesOf(machine: Machine): NamedCNode[] {
  const { i32 } = machine;
  const wordsOf = (word: number): number => 2 ** ((word >>> SlotBits.SIZE_SHIFT) & 63) * Slot.WORDS;
  const own = { at: machine.cspace, words: wordsOf(i32[machine.cspace]), name: "init" };
  const others = machine.named.filter(({ type }) => type === ObjectType.CNODE);
  return [own, ...others.map(({ at, name }) => ({ at, words: wordsOf(i32[at]), name }))];
}
