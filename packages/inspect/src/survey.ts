/**
 * What the parts of an inspection share: the copied tree, the objects that were found, and whose each
 * slot is.
 *
 * Objects are found through the capabilities in the tree and through the thread table; a process also
 * through its threads and through the process that made it. An address counts as an object only if it
 * stands where one can.
 */
import { ObjectType, Slot, SlotBits, SlotState } from "@capos/abi";
import { type PhysicalMemory, PORT_COUNT, readModule, type WordIndex } from "@capos/hal";
import {
  AddressSpace,
  CNode,
  Endpoint,
  Image,
  IrqHandler,
  Monitor,
  Notification,
  Process,
  Tables,
  Thread,
} from "@capos/kernel/layout";
import type { PlaceInfo } from "./state.js";
import type { CopiedSlot, TreeCopy } from "./tree-copy.js";
import { clamp, forEachThread, hex, isLine, processName, tablesOf, wordAt } from "./words.js";

/** A CNode that was found. */
export interface FoundCNode {
  readonly at: WordIndex;
  readonly slots: number;
  /** Processes whose CSpace it is. */
  readonly users: WordIndex[];
}

/** A slot that is part of an object. */
interface Part {
  readonly kind: "binding" | "header" | "root";
  readonly holder: string;
}

const MAX_CNODE_SLOTS = 65_536;
const UNIT_BITS = 6;

/** The type in a slot's first word. */
export function typeOf(word: number): number {
  return (word & SlotBits.TYPE_MASK) >> SlotBits.TYPE_SHIFT;
}

/** Bytes of the object that a slot with this first word names, 0 where none are said: a device's, or a reply's. */
export function bytesOf(word: number): number {
  const bits = (word >>> SlotBits.SIZE_SHIFT) & 63;
  return bits === 0 ? 0 : 2 ** (typeOf(word) === ObjectType.CNODE ? bits + UNIT_BITS : bits);
}

export class Survey {
  readonly tables: WordIndex;
  /** By address; a thread's number, 0 if it is in no table. */
  readonly threads = new Map<WordIndex, number>();
  readonly processes = new Set<WordIndex>();
  readonly endpoints = new Set<WordIndex>();
  readonly notifications = new Set<WordIndex>();
  readonly monitors = new Set<WordIndex>();
  readonly images = new Set<WordIndex>();
  readonly spaces = new Set<WordIndex>();
  readonly cnodes = new Map<WordIndex, FoundCNode>();
  /** How many processes have a name. */
  readonly #named = new Map<string, number>();
  readonly #byNumber = new Map<number, WordIndex>();
  readonly #parts = new Map<WordIndex, Part>();
  /** The CNodes by address, for the search by slot. */
  #ordered: FoundCNode[] = [];

  constructor(
    readonly memory: PhysicalMemory,
    readonly tree: TreeCopy,
  ) {
    this.tables = tablesOf(memory);
    if (this.tables === 0) return;
    forEachThread(memory, (thread, number) => {
      this.threads.set(thread, number);
      this.#byNumber.set(number, thread);
      if (wordAt(memory, thread + Thread.NUMBER) !== number)
        tree.note(`thread ${number}: the object at ${hex(thread)} says another number`);
    });
    for (const slot of tree.slots) this.#meet(slot);
    this.#findProcesses();
    this.#findCSpaces();
    this.#nameParts();
  }

  #meet({ words, at }: CopiedSlot): void {
    const word = words[Slot.STATE];
    const object = words[Slot.OBJECT];
    const state = word & SlotBits.STATE_MASK;
    if (state === SlotState.RESERVED || !isLine(this.memory, object)) return;
    switch (typeOf(word)) {
      case ObjectType.THREAD:
        if (!this.threads.has(object)) this.threads.set(object, 0);
        break;
      case ObjectType.PROCESS:
        this.processes.add(object);
        break;
      case ObjectType.ENDPOINT:
        this.endpoints.add(object);
        break;
      case ObjectType.NOTIFICATION:
        this.notifications.add(object);
        break;
      case ObjectType.MONITOR:
        this.monitors.add(object);
        break;
      case ObjectType.IMAGE:
        this.images.add(object);
        break;
      case ObjectType.ADDRESS_SPACE:
        this.spaces.add(object);
        break;
      case ObjectType.CNODE:
        this.#addCNode(object, 2 ** ((word >>> SlotBits.SIZE_SHIFT) & 63), at);
        break;
      default:
        break;
    }
  }

  #addCNode(at: WordIndex, slots: number, from: WordIndex): FoundCNode | null {
    if (slots < 1 || slots > MAX_CNODE_SLOTS) {
      this.tree.note(`slot ${hex(from)}: a CNode of ${slots} slots`);
      return null;
    }
    const found = this.cnodes.get(at) ?? { at, slots, users: [] };
    this.cnodes.set(at, found);
    return found;
  }

  #findProcesses(): void {
    const { memory, processes } = this;
    const add = (process: WordIndex): void => {
      if (isLine(memory, process)) processes.add(process);
    };
    add(wordAt(memory, this.tables + Tables.INIT_PROCESS));
    for (const [thread, number] of this.threads)
      if (number !== 0) add(wordAt(memory, thread + Thread.PROCESS));
    // A set that grows is walked to its end; each process adds at most two, and each link once.
    for (const process of processes) {
      if (processes.size > MAX_PROCESSES) break;
      add(wordAt(memory, process + Process.FIRST_CHILD));
      add(wordAt(memory, process + Process.NEXT_SIBLING));
    }
  }

  #findCSpaces(): void {
    const { memory } = this;
    for (const process of this.processes) {
      const name = processName(memory, process);
      this.#named.set(name, (this.#named.get(name) ?? 0) + 1);
      const cspace = wordAt(memory, process + Process.CSPACE);
      if (!isLine(memory, cspace)) continue;
      const slots = clamp(wordAt(memory, process + Process.CSPACE_SLOTS), MAX_CNODE_SLOTS);
      // One that was taken away: the address is still there, its slots are not the process's any more.
      if (slots > 0) this.#addCNode(cspace, slots, process)?.users.push(process);
    }
    this.#ordered = [...this.cnodes.values()].sort((a, b) => a.at - b.at);
  }

  #nameParts(): void {
    const parts = this.#parts;
    const binding = (slot: WordIndex, holder: string) => parts.set(slot, { kind: "binding", holder });
    const header = (slot: WordIndex, holder: string) => parts.set(slot, { kind: "header", holder });
    parts.set(this.tables + Tables.ROOT, { kind: "root", holder: "the kernel" });
    for (const thread of this.threads.keys()) {
      const name = this.threadName(thread);
      binding(thread + Thread.BINDING, `${name}: bound notification`);
      header(thread + Thread.HEADER, name);
    }
    for (const process of this.processes) {
      const name = this.processName(process);
      binding(process + Process.BINDING, `${name}: CSpace`);
      binding(process + Process.IMAGE_BINDING, `${name}: image`);
      binding(process + Process.SPACE_BINDING, `${name}: address space`);
      binding(process + Process.FAULT_BINDING, `${name}: fault handler`);
      header(process + Process.HEADER, name);
    }
    for (const monitor of this.monitors) {
      binding(monitor + Monitor.TARGET, `monitor ${hex(monitor)}: target`);
      binding(monitor + Monitor.NOTIFICATION, `monitor ${hex(monitor)}: notification`);
      header(monitor + Monitor.HEADER, `monitor ${hex(monitor)}`);
    }
    for (const endpoint of this.endpoints) header(endpoint + Endpoint.HEADER, `endpoint ${hex(endpoint)}`);
    for (const it of this.notifications) header(it + Notification.HEADER, `notification ${hex(it)}`);
    for (const image of this.images) header(image + Image.HEADER, this.imageName(image));
    for (const space of this.spaces) header(space + AddressSpace.HEADER, `address space ${hex(space)}`);
    for (const { at } of this.cnodes.values()) header(at + CNode.HEADER, `CNode ${hex(at)}`);
    const handlers = wordAt(this.memory, this.tables + Tables.IRQ_HANDLERS);
    for (let port = 0; port < PORT_COUNT; port++)
      binding(
        handlers + port * IrqHandler.SIZE + IrqHandler.BINDING,
        `interrupt of port ${port}: notification`,
      );
  }

  /** The thread in the thread table under a number, 0 for none. */
  threadNumbered(number: number): WordIndex {
    return this.#byNumber.get(number) ?? 0;
  }

  /** A thread for people: number and process. */
  threadName(thread: WordIndex): string {
    const number = wordAt(this.memory, thread + Thread.NUMBER);
    const process = wordAt(this.memory, thread + Thread.PROCESS);
    const name = number > 0 ? `thread ${number}` : `thread ${hex(thread)}`;
    return process === 0 ? name : `${name} of ${processName(this.memory, process)}`;
  }

  /** A process for people: number and name. */
  processName(process: WordIndex): string {
    const name = processName(this.memory, process);
    return `process ${wordAt(this.memory, process + Process.NUMBER)}${name === "" ? "" : ` ${name}`}`;
  }

  /** An image for people: by the name that it was loaded under. */
  imageName(image: WordIndex): string {
    const module = readModule(this.memory, wordAt(this.memory, image + Image.MODULE));
    return module === null ? `image ${hex(image)}` : `image ${module.name}`;
  }

  /** A CNode for people: by whose CSpace it is, where it is one. */
  cnodeName(at: WordIndex): string {
    const users = this.cnodes.get(at)?.users ?? [];
    if (users.length === 0) return `CNode ${hex(at)}`;
    return users.map((process) => this.#ownName(process)).join(", ");
  }

  /** A process by its name alone, where no other has the same. */
  #ownName(process: WordIndex): string {
    const name = processName(this.memory, process);
    return name === "" || (this.#named.get(name) ?? 0) > 1 ? this.processName(process) : name;
  }

  /** Where a slot is. */
  placeOf(slot: WordIndex): PlaceInfo {
    const part = this.#parts.get(slot);
    if (part !== undefined) return { ...part, cnode: null, index: null };
    const cnode = this.cnodeAround(slot);
    if (cnode === null) return { kind: "unknown", holder: hex(slot), cnode: null, index: null };
    const index = (slot - cnode.at) / Slot.WORDS;
    return { kind: "slot", holder: this.cnodeName(cnode.at), cnode: cnode.at * 4, index };
  }

  /** The CNode that a slot lies in, or null. */
  cnodeAround(slot: WordIndex): FoundCNode | null {
    const ordered = this.#ordered;
    let low = 0;
    let high = ordered.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ordered[middle].at <= slot) low = middle + 1;
      else high = middle;
    }
    const cnode = ordered[low - 1];
    return cnode !== undefined && slot < cnode.at + cnode.slots * Slot.WORDS ? cnode : null;
  }
}

const MAX_PROCESSES = 16_384;
