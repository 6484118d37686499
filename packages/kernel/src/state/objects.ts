/**
 * What the kernel knows of each object type, beside what all know (abi/objects.ts): facts only. What is done with an
 * object is in `object/`, one file a noun.
 *
 * A binding is a slot that lives in an object, not in a CNode, and lastingly uses the capability it was derived from. It
 * says in a word of its own (BINDING_KIND) what it is to its owner, so nobody guesses whose a slot is.
 */
import { factsOf, OBJECT_TYPES, ObjectType, Slot } from "@capos/abi";
import type { WordIndex } from "@capos/hal";
import {
  CNode,
  Endpoint,
  Image,
  IrqHandler,
  Monitor,
  Notification,
  ObjectHeader,
  Process,
  Thread,
} from "./layout.js";
import type { HeaderRef } from "./references.js";

/** Where a binding says what it is: the word that a frame has for its page, which is never a binding. */
export const BINDING_KIND = Slot.MAPPED_PAGE;

/** What a binding is to the object that it lives in. */
export const enum Binding {
  /** The notification that ends a thread's receives. */
  THREAD_NOTIFICATION = 1,
  /** A process's CSpace. */
  PROCESS_CSPACE = 2,
  /** What a monitor watches. */
  MONITOR_TARGET = 3,
  /** What a monitor signals. */
  MONITOR_NOTIFICATION = 4,
  /** What an interrupt signals. */
  INTERRUPT_NOTIFICATION = 5,
  /** What a process runs. */
  PROCESS_IMAGE = 6,
}

export interface KernelFacts {
  /** Where in the object its header stands; -1 if its capabilities are not counted (memory, devices, replies). */
  readonly header: number;
  /** What monitors watch, if it can be watched: where their list begins, its state of life, and how it ended. */
  readonly watched: {
    readonly monitors: number;
    readonly life: number;
    readonly status: number;
    readonly line: number;
    readonly column: number;
  } | null;
  /** Whether threads wait at it: its queue is swept when a capability to it ends. */
  readonly hasQueue: boolean;
  /** Whoever deletes its last capability waits until it has stopped. */
  readonly runs: boolean;
  /** Where its bindings stand. What each is it says itself, from when it is filled: see `Binding`. */
  readonly bindings: readonly number[];
}

const PLAIN: KernelFacts = Object.freeze({
  header: -1,
  watched: null,
  hasQueue: false,
  runs: false,
  bindings: Object.freeze([]),
});

function fact(more: Partial<KernelFacts>): KernelFacts {
  return Object.freeze({ ...PLAIN, ...more });
}

const FACTS: Partial<Readonly<Record<ObjectType, KernelFacts>>> = Object.freeze({
  [ObjectType.CNODE]: fact({ header: CNode.HEADER }),
  [ObjectType.ENDPOINT]: fact({ header: Endpoint.HEADER, hasQueue: true }),
  [ObjectType.NOTIFICATION]: fact({ header: Notification.HEADER, hasQueue: true }),
  [ObjectType.THREAD]: fact({
    header: Thread.HEADER,
    watched: {
      monitors: Thread.MONITORS,
      life: Thread.LIFE,
      status: Thread.EXIT_STATUS,
      line: Thread.FAULT_LINE,
      column: Thread.FAULT_COLUMN,
    },
    runs: true,
    bindings: [Thread.BINDING],
  }),
  [ObjectType.PROCESS]: fact({
    header: Process.HEADER,
    watched: {
      monitors: Process.MONITORS,
      life: Process.LIFE,
      status: Process.STATUS,
      line: Process.FAULT_LINE,
      column: Process.FAULT_COLUMN,
    },
    runs: true,
    bindings: [Process.BINDING, Process.IMAGE_BINDING],
  }),
  [ObjectType.MONITOR]: fact({
    header: Monitor.HEADER,
    bindings: [Monitor.TARGET, Monitor.NOTIFICATION],
  }),
  [ObjectType.IRQ_HANDLER]: fact({
    bindings: [IrqHandler.BINDING],
  }),
  [ObjectType.SEALER]: fact({ header: ObjectHeader.STATE }),
  [ObjectType.IMAGE]: fact({ header: Image.HEADER }),
});

/** What the kernel knows of a type. */
export function kernelFacts(type: ObjectType): KernelFacts {
  return FACTS[type] ?? PLAIN;
}

// What is asked on hot paths, as words that the compiler keeps in registers.

/** Bits by type. */
function typesWith(has: (facts: KernelFacts) => boolean): number {
  return OBJECT_TYPES.reduce((bits, type) => bits | (has(kernelFacts(type)) ? 1 << type : 0), 0);
}

const UNIQUE = OBJECT_TYPES.reduce((bits, type) => bits | (factsOf(type)!.isUnique ? 1 << type : 0), 0);
const QUEUED = typesWith(({ hasQueue }) => hasQueue);
const RUNNING = typesWith(({ runs }) => runs);
const HEADERS: readonly number[] = Object.freeze(OBJECT_TYPES.map((type) => kernelFacts(type).header));

/** Whether a capability to an object of a type is moved only, never copied. */
export function isUnique(type: ObjectType): boolean {
  return ((UNIQUE >> type) & 1) !== 0;
}

/** Whether threads wait at objects of a type. */
export function hasQueue(type: ObjectType): boolean {
  return ((QUEUED >> type) & 1) !== 0;
}

/** Whether objects of a type run: threads and processes. */
export function runs(type: ObjectType): boolean {
  return ((RUNNING >> type) & 1) !== 0;
}

/** Where an object's capabilities are counted; 0 for one that needs no finalising (memory, devices, replies). */
export function headerOf(type: ObjectType, object: WordIndex): HeaderRef | 0 {
  const at = HEADERS[type];
  return at < 0 ? 0 : ((object + at) as HeaderRef);
}
