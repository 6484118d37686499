/**
 * What a capability is in TypeScript: a handle, and types that say what it names and what it permits.
 *
 * The types are a promise about the slot that the handle names, made where the handle came from (an
 * object just made, a reply of a declared protocol, `CSpace.as`). Nothing checks it here: the kernel and
 * the servers check each use, whatever the types say. A variable outlives its capability when that is
 * moved, dropped or revoked, which TypeScript cannot express; using it then fails with `BAD_CAP`.
 */
import type { ObjectType, Sys } from "@capos/abi";
import type { RightName } from "./rights.js";
import type { Slots } from "./slots.js";
import type { Steps } from "./steps.js";

declare const METHODS: unique symbol;
declare const RIGHTS: unique symbol;
declare const SEALED: unique symbol;
/** What a capability names, at run time too: a copy of it gets the same methods. */
export const KIND: unique symbol = /* @__PURE__ */ Symbol("kind");

/** Where a capability lives and what its methods need: the thread's traps and its empty slots. */
export interface Home {
  readonly sys: Sys;
  readonly slots: Slots;
}

/** What a capability may name: a declared protocol, or a type of kernel object. `M` describes its methods. */
export interface Kind<M> {
  readonly name: string;
  /** NONE for a protocol: its capabilities name objects of a server. */
  readonly objectType: ObjectType;
  /** The methods of a capability of this kind, by name. */
  bind(home: Home, handle: number): object;
  /** Asks the server behind the capability for the same object with fewer object rights. Gives a handle. */
  narrow?(home: Home, handle: number, rights: number): Steps<number>;
  readonly [METHODS]?: (methods: M) => M;
}

/** A kind of whatever methods. */
// biome-ignore lint/suspicious/noExplicitAny: the methods are used both ways, so no other type stands for all
export type AnyKind = Kind<any>;

/** A set of rights as a type: one property each, so that an error says which is missing. */
export type Holds<R extends RightName> = { readonly [N in R]: true };

/** A capability of any kind that has at least these rights; it can be carried, whether it can be used or not. */
export interface Carried<R extends RightName = never> {
  readonly handle: number;
  readonly [RIGHTS]: Holds<R>;
}

/** A capability that can be used: it names something with methods `M`. `Capability` has them as its own. */
export interface Held<M, R extends RightName> extends Carried<R> {
  readonly [KIND]: Kind<M>;
}

/** A sealed capability: it has no methods and can be carried, until `CSpace.unseal` opens it. */
export interface Sealed<M, R extends RightName> extends Carried<R> {
  readonly [SEALED]: (methods: M) => M;
}

/** Makes the value of a capability. Its rights are what the caller's types say. */
export function hold(kind: AnyKind, home: Home, handle: number): never {
  return Object.freeze({ ...kind.bind(home, handle), handle, [KIND]: kind }) as never;
}

/** The number that the kernel knows a capability by. */
export function handleOf(capability: number | { readonly handle: number }): number {
  return typeof capability === "number" ? capability : capability.handle;
}
