/**
 * Rights by name, as types know them, and the bits they are.
 *
 * There are two kinds. *Kernel rights* stand in the capability's slot and the kernel checks them. *Object
 * rights* stand with a server that makes objects of its own: it knows them by the badge that it minted
 * and checks them itself, because the kernel does not tell a server what rights a message came with.
 */
import { Right } from "@capos/abi";

/** What the kernel checks, on its own objects and, as far as `send` to `revoke`, on endpoints. */
export type KernelRight = "read" | "write" | "execute" | "map" | "send" | "receive" | "grant" | "revoke";

/** What a server checks on an object of its own. `narrow` is the right to be given the same object with fewer rights. */
export type ObjectRight = "read" | "write" | "execute" | "narrow";

/** The name of a right, of either kind. */
export type RightName = KernelRight | ObjectRight;

/** Rights that the kernel checks on a capability to a server's object. SEND it always has. */
export type CarryRight = "grant" | "revoke";

const KERNEL_BITS: Readonly<Record<KernelRight, number>> = /* @__PURE__ */ Object.freeze({
  read: Right.READ,
  write: Right.WRITE,
  execute: Right.EXECUTE,
  map: Right.MAP,
  send: Right.SEND,
  receive: Right.RECEIVE,
  grant: Right.GRANT,
  revoke: Right.REVOKE,
});

/** The bits of object rights, in requests for fewer and in servers' tables. */
const OBJECT_BITS: Readonly<Record<ObjectRight, number>> = /* @__PURE__ */ Object.freeze({
  read: 1,
  write: 2,
  execute: 4,
  narrow: 8,
});

/** The greatest set of object rights. */
export const ALL_OBJECT_RIGHTS = 15;

/** Whether a text is the name of a right. */
export function isRightName(name: string): name is RightName {
  return Object.hasOwn(KERNEL_BITS, name) || Object.hasOwn(OBJECT_BITS, name);
}

/** A set of `Right`, for the kernel. */
export function kernelRights(names: readonly KernelRight[]): number {
  let bits = 0;
  for (const name of names) bits |= KERNEL_BITS[name];
  return bits;
}

/** A set of object rights; names that are none count for nothing. */
export function objectRights(names: readonly RightName[]): number {
  let bits = 0;
  for (const name of names) bits |= (OBJECT_BITS as Readonly<Record<string, number>>)[name] ?? 0;
  return bits;
}

/** The kernel's rights of a capability to a server's object: SEND, and what `names` has of GRANT and REVOKE. */
export function carryRights(names: readonly RightName[]): number {
  let bits: number = Right.SEND;
  for (const name of names) if (name === "grant" || name === "revoke") bits |= KERNEL_BITS[name];
  return bits;
}

/** Names or a set of `Right` as a set. */
export function rightBits(rights: number | readonly KernelRight[]): number {
  return typeof rights === "number" ? rights : kernelRights(rights);
}
