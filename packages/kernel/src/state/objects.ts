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
  AddressSpace,
  CNode,
  Endpoint,
  Image,
  IrqHandler,
  Monitor,
  Notification,
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
  /** Where its addresses lead. */
  PROCESS_SPACE = 7,
  /** Who is told of its page faults. */
  PROCESS_FAULTS = 8,
}

/** Facts that rare paths and those who look from outside ask for. */
export interface KernelFacts {
  /** What monitors watch, if it can be watched: where their list begins, its state of life, and how it ended. */
  readonly watched: {
    readonly monitors: number;
    readonly life: number;
    readonly status: number;
    readonly line: number;
    readonly column: number;
  } | null;
  /** Where its bindings stand. What each is it says itself, from when it is filled: see `Binding`. */
  readonly bindings: readonly number[];
}

const PLAIN: KernelFacts = Object.freeze({ watched: null, bindings: Object.freeze([]) });

function fact(more: Partial<KernelFacts>): KernelFacts {
  return Object.freeze({ ...PLAIN, ...more });
}

const FACTS: Partial<Readonly<Record<ObjectType, KernelFacts>>> = Object.freeze({
  [ObjectType.THREAD]: fact({
    watched: {
      monitors: Thread.MONITORS,
      life: Thread.LIFE,
      status: Thread.EXIT_STATUS,
      line: Thread.FAULT_LINE,
      column: Thread.FAULT_COLUMN,
    },
    bindings: [Thread.BINDING],
  }),
  [ObjectType.PROCESS]: fact({
    watched: {
      monitors: Process.MONITORS,
      life: Process.LIFE,
      status: Process.STATUS,
      line: Process.FAULT_LINE,
      column: Process.FAULT_COLUMN,
    },
    bindings: [Process.BINDING, Process.IMAGE_BINDING, Process.SPACE_BINDING, Process.FAULT_BINDING],
  }),
  [ObjectType.MONITOR]: fact({ bindings: [Monitor.TARGET, Monitor.NOTIFICATION] }),
  [ObjectType.IRQ_HANDLER]: fact({ bindings: [IrqHandler.BINDING] }),
});

/** What the kernel knows of a type. */
export function kernelFacts(type: ObjectType): KernelFacts {
  return FACTS[type] ?? PLAIN;
}

// What every fill and kill of a slot asks: comparisons that the compiler folds. A table of these costs 12 % of a revoke.

const UNIQUE = OBJECT_TYPES.reduce((bits, type) => bits | (factsOf(type)!.isUnique ? 1 << type : 0), 0);

/** Whether a capability to an object of a type is moved only, never copied. */
export function isUnique(type: ObjectType): boolean {
  return ((UNIQUE >> type) & 1) !== 0;
}

/** Whether threads wait at objects of a type: its queue is swept when a capability to it ends. */
export function hasQueue(type: ObjectType): boolean {
  return type === ObjectType.ENDPOINT || type === ObjectType.NOTIFICATION;
}

/** Whether objects of a type run: whoever deletes the last capability to one waits until it has stopped. */
export function runs(type: ObjectType): boolean {
  return type === ObjectType.THREAD || type === ObjectType.PROCESS;
}

/** Whether a capability of a type can have a mapping, which ends with it. */
export function isMapped(type: ObjectType): boolean {
  return type === ObjectType.FRAME || type === ObjectType.PAGE_TABLE;
}

/** The header of an object, where its capabilities are counted; 0 for one that needs no finalising (memory, devices, replies). */
export function headerOf(type: ObjectType, object: WordIndex): HeaderRef | 0 {
  switch (type) {
    case ObjectType.CNODE:
      return (object + CNode.HEADER) as HeaderRef;
    case ObjectType.ENDPOINT:
      return (object + Endpoint.HEADER) as HeaderRef;
    case ObjectType.NOTIFICATION:
      return (object + Notification.HEADER) as HeaderRef;
    case ObjectType.THREAD:
      return (object + Thread.HEADER) as HeaderRef;
    case ObjectType.PROCESS:
      return (object + Process.HEADER) as HeaderRef;
    case ObjectType.MONITOR:
      return (object + Monitor.HEADER) as HeaderRef;
    case ObjectType.IMAGE:
      return (object + Image.HEADER) as HeaderRef;
    case ObjectType.ADDRESS_SPACE:
      return (object + AddressSpace.HEADER) as HeaderRef;
    case ObjectType.SEALER:
      return object as HeaderRef;
    default:
      return 0;
  }
}
