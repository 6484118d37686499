/**
 * References to what lies in physical memory, of types that refuse a mix-up. Each is the index of its first word and
 * nothing else when the kernel runs: offsets are added to it and it is stored as any number.
 *
 * A word of memory is a number until `as` says, where it is read, what the kernel keeps there. 0 is none, and
 * `ThreadRef | 0` refuses to be used before somebody has looked.
 */
import type { WordIndex } from "@capos/hal";

declare const kind: unique symbol;

/** A reference to one of some kinds of things. */
type Reference<Kind extends string> = WordIndex & { readonly [kind]: Kind };

/** A slot: in a CNode, or a binding in an object. */
export type SlotRef = Reference<"slot">;
/** The header of an object, which stands in the derivation tree while the object is being finalised. */
export type HeaderRef = Reference<"header">;
/** What the derivation tree is made of. */
export type NodeRef = Reference<"slot" | "header">;

export type ThreadRef = Reference<"thread">;
export type ProcessRef = Reference<"process">;
export type CNodeRef = Reference<"cnode">;
export type EndpointRef = Reference<"endpoint">;
export type NotificationRef = Reference<"notification">;
export type ImageRef = Reference<"image">;
export type MonitorRef = Reference<"monitor">;
export type SpaceRef = Reference<"space">;
/** An object at which threads wait: both kinds keep their home, their queue and their sweep at the same offsets. */
export type QueueRef = Reference<"endpoint" | "notification">;
/** An object that has a header, of whatever type. */
export type ObjectRef = Reference<
  "thread" | "process" | "cnode" | "endpoint" | "notification" | "monitor" | "image" | "sealer" | "space"
>;

/** A line of a ring between two cores. */
export type LineRef = Reference<"line">;

declare const unit: unique symbol;

/** A core, by its number: 0 to one less than there are. */
export type CoreId = number & { readonly [unit]: "core" };

/** Where a byte stands in physical memory: four times the index of its word. */
export type PhysicalAddress = number & { readonly [unit]: "byte" };
