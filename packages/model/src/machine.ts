/**
 * A small machine for a scenario: built natively by the kernel's own functions, before its cores run as virtual
 * ones. Everything is init's, in init's CSpace, unless a scenario says otherwise; slots are named by their index.
 */
import {
  Err,
  InitSlot,
  LifeState,
  makeHandle,
  ObjectType,
  objectBits,
  PAGE_BITS,
  Right,
  Slot,
  SlotBits,
  type SlotState,
} from "@capos/abi";
import { makeRegisters } from "@capos/engine";
import { GeneratorContext } from "@capos/engine/generator";
import {
  addModule,
  allocateMemory,
  attachMemory,
  CoreArea,
  CoreState,
  enableLapic,
  findModule,
  holdModule,
  type PhysicalMemory,
  planMachine,
  resetLapic,
  type SharedMemory,
  unloadModule,
  type WordIndex,
  writeBootInfo,
} from "@capos/hal";
import {
  Answer,
  bindCSpace,
  buildTables,
  Core,
  type CoreId,
  configureThread,
  deriveSlot,
  fillSlot,
  frameMap,
  type InitResources,
  imageAt,
  type Locked,
  linkChild,
  lockTree,
  moveSlot,
  type ObjectRef,
  type ProcessRef,
  pageTableMap,
  processUse,
  reclaimSlot,
  retype,
  type SlotRef,
  slotWord,
  type ThreadRef,
  unlockTree,
  Vector,
} from "@capos/kernel/internal";
import {
  Endpoint,
  headerOf,
  Image,
  KernelInfo,
  Notification,
  Process,
  Tables,
  Thread,
} from "@capos/kernel/layout";
import type { Guest, GuestProgram } from "./guest.js";

const MEMORY_MIB = 16;
/** A word of frame 0 that nobody else uses. */
const INSTANTS = 1000;
/** The first slot that `make` fills. */
const FIRST = 100;

const THREADS = 32;

export interface GuestOptions {
  readonly name?: string;
  /** 0 to 255; 10 unless told. */
  readonly priority?: number;
  /** Slot of its process; init's unless told. */
  readonly process?: number;
  /** It exits when it is done, instead of waiting for ever. */
  readonly exits?: boolean;
}

export class Machine {
  readonly memory: PhysicalMemory;
  readonly i32: Int32Array;
  readonly wasm: SharedMemory;
  readonly resources: InitResources;
  readonly guests: Guest[] = [];
  readonly cspace: WordIndex;
  /** Names of words, for counter-examples: what stands at an address, and how long it is. */
  readonly named: {
    readonly at: WordIndex;
    readonly words: number;
    readonly name: string;
    readonly type: ObjectType;
  }[] = [];
  /** See program/engine.ts. */
  readonly instants: WordIndex = INSTANTS;
  /** Core that sets everything up. */
  private readonly k: Core;
  private nextSlot = FIRST;

  /** @param ringLines lines of each ring: a power of two; 4 is the fewest that a real machine has */
  constructor(
    readonly cores: number,
    ringLines = 4,
  ) {
    this.wasm = allocateMemory(MEMORY_MIB);
    this.memory = attachMemory(this.wasm);
    const { memory } = this;
    this.i32 = memory.i32;
    // No core has a hardware thread to itself, so one with nothing to do soon halts.
    const plan = planMachine({ cores, memoryMiB: MEMORY_MIB, hardwareThreads: 1, seed: 1, watchdogMs: 1000 });
    writeBootInfo(memory, { ...plan, hardwareThreads: 0, ringLines });
    const all = Array.from({ length: cores }, (_, id) => new Core(id as CoreId, memory));
    this.k = all[0];
    this.resources = buildTables(this.k);
    for (const core of all) {
      if (core.id !== 0) core.attachTables();
      this.i32[core.area + CoreArea.STATE] = CoreState.ONLINE;
      resetLapic(memory, core.id);
      enableLapic(memory, core.id, Vector.SPURIOUS);
    }
    this.i32[KernelInfo.AWAKE] = cores;
    this.cspace = this.i32[this.resources.process + Process.CSPACE];
    // Init's first thread, with which the machine would end, takes no part.
    configureThread(this.k, this.resources.thread, this.resources.process, 0 as CoreId, 0);
    // Scenarios have few threads: cores keep no places for more.
    this.i32[this.k.tables + Tables.THREAD_LIMIT] = THREADS;
    this.i32[this.resources.process + Process.THREADS_LEFT] = THREADS - 2;
  }

  /** First word of a slot of init's CSpace. */
  slotAt(index: number): SlotRef {
    return (this.cspace + index * Slot.WORDS) as SlotRef;
  }

  /** The handle to what a slot holds now. */
  handle(index: number): number {
    return makeHandle(index, this.i32[this.slotAt(index) + Slot.GENERATION]);
  }

  /** The object that a slot's capability names. */
  objectAt<Ref extends ObjectRef>(index: number): Ref {
    return this.i32[this.slotAt(index) + Slot.OBJECT] as Ref;
  }

  /** A slot's `SlotState` just now. */
  stateOf(index: number): SlotState {
    return this.i32[this.slotAt(index)] & SlotBits.STATE_MASK;
  }

  /** The slots of init's CSpace that a scenario has made or taken so far. */
  slotIndices(): number[] {
    return Array.from({ length: this.nextSlot - FIRST }, (_, i) => FIRST + i);
  }

  /** A slot of init's CSpace that is empty and will not be given again. */
  freeSlot(): number {
    return this.nextSlot++;
  }

  /** Makes an object of memory; answers the slot of its capability. */
  make(type: ObjectType, name: string, sizeBits = 0, from: number = InitSlot.UNTYPED): number {
    const slot = this.freeSlot();
    const context = new GeneratorContext(makeRegisters());
    const cnodeSlot = this.slotAt(InitSlot.CNODE);
    const request = { untyped: this.slotAt(from), type, sizeBits, count: 1, cnodeSlot, first: slot };
    const answer = retype(this.k, this.resources.thread, context, request);
    if (answer !== Answer.DONE || context.result !== Err.OK)
      throw new Error(`${name}: retype answers ${context.result}`);
    this.named.push({ at: this.objectAt(slot), words: wordsOf(type), name, type });
    return slot;
  }

  /**
   * An image in a slot of init, which holds the one capability to it. The host lets go of it unless it is `kept`.
   * Answers the slot, and the number by which it is taken.
   */
  image(name: string, kept = false): { readonly slot: number; readonly number: number } {
    const { memory } = this;
    const slot = this.freeSlot();
    const number = addModule(memory, name, "");
    const place = findModule(memory, number);
    holdModule(memory, place, number);
    if (!kept) unloadModule(memory, number);
    const at = imageAt(this.k, place);
    const word = slotWord(ObjectType.IMAGE, Right.ALL, 0, 0);
    this.atSetUp((k) => fillSlot(k, this.slotAt(slot), word, at, 0, this.slotAt(InitSlot.IMAGE_CONTROL)));
    this.named.push({ at, words: Image.SIZE, name, type: ObjectType.IMAGE });
    return { slot, number };
  }

  /** An endpoint at home on a core. */
  endpoint(name: string, core = 0): number {
    const slot = this.make(ObjectType.ENDPOINT, name);
    this.i32[this.objectAt(slot) + Endpoint.HOME] = core;
    return slot;
  }

  /** A notification at home on a core. */
  notification(name: string, core = 0): number {
    const slot = this.make(ObjectType.NOTIFICATION, name);
    this.i32[this.objectAt(slot) + Notification.HOME] = core;
    return slot;
  }

  /** Memory of 2^bits bytes that a scenario retypes. */
  untyped(name: string, bits: number): number {
    return this.make(ObjectType.UNTYPED, name, bits);
  }

  /** A CNode of 2^bits slots. */
  cnode(name: string, bits: number, from?: number): number {
    return this.make(ObjectType.CNODE, name, bits, from);
  }

  /** A frame of one page. */
  frame(name: string, from?: number): number {
    return this.make(ObjectType.FRAME, name, PAGE_BITS, from);
  }

  /**
   * An address space, made of `memory` if given, with tables for the first 2 MiB. Init's process uses it, or the one in slot
   * `user`.
   */
  space(name: string, user: number = InitSlot.PROCESS, memory?: number): number {
    const space = this.make(ObjectType.ADDRESS_SPACE, name, 0, memory);
    this.use(space, user);
    for (const level of [3, 2, 1]) this.mapTable(this.table(`table ${level} of ${name}`), space, 0);
    return space;
  }

  /** A page table. */
  table(name: string): number {
    return this.make(ObjectType.PAGE_TABLE, name);
  }

  /** Puts a table where one is missing for an address. */
  mapTable(table: number, space: number, address: number): void {
    const { k } = this;
    this.invoke(pageTableMap, table, () => {
      k.operands.memory = this.slotAt(space);
      k.operands.address = address;
    });
  }

  /** Maps a frame at an address. */
  map(frame: number, space: number, address: number, rights: number): void {
    const { k } = this;
    this.invoke(frameMap, frame, () => {
      k.operands.memory = this.slotAt(space);
      k.operands.address = address;
      k.operands.rights = rights;
    });
  }

  /** A process uses an address space. */
  use(space: number, process: number): void {
    this.invoke(processUse, process, () => {
      this.k.operands.memory = this.slotAt(space);
    });
  }

  /** Calls a method of what a slot of init holds, which answers at once. */
  private invoke(
    method: (k: Core, thread: ThreadRef, context: GeneratorContext, self: SlotRef) => Answer,
    slot: number,
    setOperands: () => void,
  ): void {
    const context = new GeneratorContext(makeRegisters());
    setOperands();
    const answer = method(this.k, this.resources.thread, context, this.slotAt(slot));
    if (answer !== Answer.DONE || context.result < Err.OK)
      throw new Error(`${method.name} answers ${context.result}`);
  }

  /** Derives a copy of what a slot holds into another (a fresh one unless told); answers its index. */
  derive(source: number, rights: number = Right.ALL, badge = 0, to = this.freeSlot()): number {
    this.deriveInto(this.slotAt(source), this.slotAt(to), rights, badge);
    return to;
  }

  /** The same into a slot of another CNode. */
  deriveInto(source: SlotRef, to: SlotRef, rights: number = Right.ALL, badge = 0): void {
    const held = lockTree(this.k);
    if (!reclaimSlot(held, to)) throw new Error("the slot is not empty");
    deriveSlot(held, source, to, rights, badge);
    unlockTree(held);
  }

  /** Moves what a slot of init holds into a CNode; answers the handle of it there. */
  moveInto(source: number, cnode: number, index: number): number {
    const slot = (this.objectAt(cnode) + index * Slot.WORDS) as SlotRef;
    this.atSetUp((held) => moveSlot(held, this.slotAt(source), slot, Right.ALL));
    return makeHandle(index, this.i32[slot + Slot.GENERATION]);
  }

  /** Changes capabilities while the scenario is built: `change` runs under the tree lock. */
  atSetUp(change: (held: Locked) => void): void {
    const held = lockTree(this.k);
    change(held);
    unlockTree(held);
  }

  /** A process of its own with a CSpace of 2^bits slots, made of `memory` if given; slot indices of its process and its CNode in init's CSpace. */
  process(
    name: string,
    bits = 5,
    threads = 2,
    memory?: number,
  ): { readonly process: number; readonly cnode: number } {
    const cnode = this.cnode(`CSpace of ${name}`, bits, memory);
    const process = this.make(ObjectType.PROCESS, name);
    const { i32, k } = this;
    const object = this.objectAt<ProcessRef>(process);
    const held = lockTree(k);
    bindCSpace(held, object, this.slotAt(cnode));
    i32[object + Process.CEILING] = 255;
    i32[object + Process.THREADS_LEFT] = threads;
    i32[this.resources.process + Process.THREADS_LEFT] -= threads;
    linkChild(held, this.resources.process, object);
    i32[object + Process.LIFE] = LifeState.RUNNING;
    unlockTree(held);
    return { process, cnode };
  }

  /** Gives a process (by `process`) a copy of what a slot of init holds; answers the handle that the process has of it. */
  give(cnode: number, index: number, source: number, rights: number = Right.ALL, badge = 0): number {
    const slot = (this.objectAt(cnode) + index * Slot.WORDS) as SlotRef;
    this.deriveInto(this.slotAt(source), slot, rights, badge);
    return makeHandle(index, this.i32[slot + Slot.GENERATION]);
  }

  /** An endpoint of its own core at which a guest waits when it is done; its handle to it. */
  private endOf(name: string, core: number, process: number | undefined): number {
    const slot = this.endpoint(`end of ${name}`, core);
    if (process === undefined) return this.handle(slot);
    const { i32 } = this;
    const object = this.objectAt<ProcessRef>(process);
    // From the last slot of its CSpace down.
    let index = i32[object + Process.CSPACE_SLOTS] - 1;
    const at = (): SlotRef => (i32[object + Process.CSPACE] + index * Slot.WORDS) as SlotRef;
    while (i32[at()] !== 0) index--;
    this.deriveInto(this.slotAt(slot), at());
    return makeHandle(index, i32[at() + Slot.GENERATION]);
  }

  /** A thread on a core that runs a program from the schedule's begin on. */
  guest(core: number, program: GuestProgram, options: GuestOptions = {}): Guest {
    const name = options.name ?? `guest ${this.guests.length}`;
    const process =
      options.process === undefined ? this.resources.process : this.objectAt<ProcessRef>(options.process);
    const end = options.exits === true ? 0 : this.endOf(name, core, options.process);
    const slot = this.make(ObjectType.THREAD, name);
    const thread = this.objectAt<ThreadRef>(slot);
    const status = configureThread(this.k, thread, process, core as CoreId, options.priority ?? 10);
    if (status !== Err.OK) throw new Error(`${name}: configure answers ${status}`);
    const number = this.i32[thread + Thread.NUMBER];
    const guest: Guest = { name, core, thread, number, slot, program, end, context: null, isDone: false };
    this.guests.push(guest);
    return guest;
  }
}

/** Words of an object whose fields have names. Of a larger frame its first page's. */
function wordsOf(type: ObjectType): number {
  if (type === ObjectType.FRAME || type === ObjectType.PAGE_TABLE) return 2 ** (PAGE_BITS - 2);
  return headerOf(type, 0) !== 0 ? 2 ** (objectBits(type, 0) - 2) : 0;
}
