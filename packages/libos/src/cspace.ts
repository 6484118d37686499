/**
 * A thread's view of its process's CSpace: where its capabilities live, and what can be done to one.
 *
 * Each method that makes a capability takes a slot for it from the thread's own, and gives it back if
 * the kernel refuses. Each copy is derived from what it was made from: `revoke` ends all of them, and
 * theirs. A capability's methods are what it names; these here are about the capability itself.
 */
import { handleIndex, ObjectType, Right, type Sys } from "@capos/abi";
import type { Capability, CapabilityTo, Droppable, Lasting } from "./capability.js";
import { type Carried, type Held, type Home, handleOf, hold, KIND, type Kind, type Sealed } from "./held.js";
import { cnode, process, type SlotInfo, untyped } from "./kernel-calls.js";
import {
  CNode,
  type CNodeMethods,
  type EndpointMethods,
  type NotificationMethods,
  type ProcessMethods,
  type ReplyMethods,
  type SealerMethods,
  Untyped,
  type UntypedMethods,
} from "./kernel-objects.js";
import {
  type CarryRight,
  carryRights,
  type KernelRight,
  kernelRights,
  type ObjectRight,
  objectRights,
  type RightName,
} from "./rights.js";
import type { Slots } from "./slots.js";
import type { Steps } from "./steps.js";

/** The bits of a copy's rights: all unless told. Whoever may use a server's object at all has SEND. */
function copyRights<M>(kind: Kind<M>, rights: readonly RightName[] | undefined): number {
  if (rights === undefined) return Right.ALL;
  return kind.objectType === ObjectType.NONE ? carryRights(rights) : kernelRights(rights as KernelRight[]);
}

/** Refuses what can only be moved: copies of untyped memory or of a reply would be two owners of one thing. */
type Copyable<M> = M extends UntypedMethods | ReplyMethods ? never : unknown;

/** Where a thread's capabilities live, and what can be done to one: made, copied, narrowed, lent, sealed, revoked. */
export class CSpace implements Home {
  /** The CNode itself. */
  readonly node: Capability<typeof CNode, KernelRight>;
  /** The thread's untyped memory; using it fails with `BAD_CAP` if it was given none. */
  readonly memory: Capability<typeof Untyped, KernelRight>;

  /**
   * @param node handle of the CNode
   * @param slots the thread's own empty slots in it
   * @param memory handle of untyped memory, 0 for none
   */
  constructor(
    readonly sys: Sys,
    node: number,
    readonly slots: Slots,
    memory = 0,
  ) {
    this.node = hold(CNode, this, node);
    this.memory = hold(Untyped, this, memory);
  }

  /**
   * Takes a handle for a capability to `kind` with these rights. It is the caller who knows that: nothing
   * is checked before it is used.
   */
  as<M, const R extends RightName>(kind: Kind<M>, handle: number, _rights: readonly R[]): CapabilityTo<M, R> {
    return hold(kind, this, handle);
  }

  /**
   * Makes an object from untyped memory, one's own unless told, with all rights. Throws `IpcError`:
   * `NO_MEMORY`, `NO_RESOURCE` (no empty slot), `BAD_CAP` without memory, `RANGE`.
   *
   * @param sizeBits log2 of the size in bytes (untyped, frame) or slots (CNode); 0 for objects of one size
   */
  *make<M>(
    kind: Kind<M>,
    sizeBits = 0,
    memory: Held<UntypedMethods, "write"> = this.memory,
  ): Steps<CapabilityTo<M, KernelRight>> {
    const slot = this.slots.take();
    try {
      yield* untyped.retype(this.sys, memory.handle, kind.objectType, sizeBits, 1, this.node.handle, slot);
      return this.#hold(kind, (yield* cnode.inspect(this.sys, this.node.handle, slot)).handle);
    } catch (error) {
      this.slots.give(slot);
      throw error;
    }
  }

  /**
   * A copy with the rights named, with all of them unless told. To a server's object the kernel can
   * only take GRANT and REVOKE away; with fewer of its own rights, `narrow` asks the server for it.
   */
  *copy<M, R extends RightName, K extends Droppable<M, R> = Droppable<M, R>>(
    held: Held<M, R> & Copyable<M>,
    rights?: readonly K[],
  ): Steps<CapabilityTo<M, K | Lasting<M, R>>> {
    const kind = held[KIND];
    const { sys, node } = this;
    const bits = copyRights(kind, rights);
    return this.#hold(
      kind,
      yield* this.#into((slot) => cnode.copy(sys, node.handle, slot, held.handle, bits)),
    );
  }

  /**
   * A capability to the same object of a server with fewer object rights. The server makes it: it is not
   * derived from the one that asks, so revoking that one does not end it, and an end in time is not
   * inherited. That is why it takes a right to ask, `narrow`, and why a capability that shall be taken
   * back reliably is narrowed first and given without `narrow`.
   */
  *narrow<M, R extends RightName, const K extends (R | "narrow") & ObjectRight>(
    held: Held<M, R | "narrow">,
    rights: readonly K[],
  ): Steps<CapabilityTo<M, K | CarryRight>> {
    const kind = held[KIND];
    return this.#hold(kind, yield* kind.narrow!(this, held.handle, objectRights(rights)));
  }

  /** A copy of an endpoint or notification capability with a badge, 1 to 2^32 - 1. `DENIED` if it has one already. */
  *mint<M extends EndpointMethods | NotificationMethods, R extends KernelRight, K extends R = R>(
    held: Held<M, R>,
    badge: number,
    rights?: readonly K[],
  ): Steps<CapabilityTo<M, K>> {
    const bits = rights === undefined ? Right.ALL : kernelRights(rights);
    const { sys, node } = this;
    return this.#hold(
      held[KIND],
      yield* this.#into((slot) => cnode.mint(sys, node.handle, slot, held.handle, bits, badge)),
    );
  }

  /**
   * A capability to the protocol that is served on an endpoint, for its clients. It has a badge: one
   * without a badge would let its holder mint whatever badge it likes.
   */
  *offer<M>(
    kind: Kind<M>,
    endpoint: number | Held<EndpointMethods, "send" | "grant">,
    badge: number,
  ): Steps<CapabilityTo<M, CarryRight>> {
    const { sys, node } = this;
    const rights = carryRights(["grant", "revoke"]);
    const handle = handleOf(endpoint);
    return this.#hold(
      kind,
      yield* this.#into((slot) => cnode.mint(sys, node.handle, slot, handle, rights, badge)),
    );
  }

  /** Moves a capability into another slot of this CSpace. The one that was given is used up. */
  *move<M, R extends RightName>(held: Held<M, R>): Steps<CapabilityTo<M, R>> {
    const { sys, node } = this;
    const handle = yield* this.#into((slot) => cnode.move(sys, node.handle, slot, held.handle));
    this.#forget(held);
    return this.#hold(held[KIND], handle);
  }

  /** Moves a capability into a slot of another CNode and gives its handle there. The one that was given is used up. */
  *moveTo(held: Carried, space: Held<CNodeMethods, "write">, slot: number): Steps<number> {
    const handle = yield* cnode.move(this.sys, space.handle, slot, held.handle);
    this.#forget(held);
    return handle;
  }

  /** Deletes a capability and gives its slot back. What was derived from it stays. */
  *drop(held: Carried): Steps<void> {
    yield* this.slots.drop(this.sys, held.handle);
  }

  /**
   * Ends all that was derived from a capability, on every core; nothing can be done through any of it
   * once this is back. The capability itself stays.
   */
  *revoke(held: Carried<"revoke">): Steps<void> {
    yield* cnode.revoke(this.sys, this.node.handle, held.handle);
  }

  /** A sealed copy: it can be carried by anybody, and used by nobody before it is opened with the same sealer. */
  *seal<M, R extends RightName>(held: Held<M, R>, sealer: Held<SealerMethods, "write">): Steps<Sealed<M, R>> {
    const { sys, node } = this;
    const handle = yield* this.#into((slot) =>
      cnode.seal(sys, node.handle, slot, held.handle, sealer.handle),
    );
    return Object.freeze({ handle, [KIND]: held[KIND] }) as unknown as Sealed<M, R>;
  }

  /** An open copy of a sealed capability. */
  *unseal<M, R extends RightName>(
    sealed: Sealed<M, R>,
    sealer: Held<SealerMethods, "read">,
  ): Steps<CapabilityTo<M, R>> {
    const { sys, node } = this;
    const kind = (sealed as unknown as Held<M, R>)[KIND];
    return this.#hold(
      kind,
      yield* this.#into((slot) => cnode.unseal(sys, node.handle, slot, sealed.handle, sealer.handle)),
    );
  }

  /** A copy that is dead in `forNs` nanoseconds, with all that is derived from it. */
  *expire<M, R extends RightName, K extends Droppable<M, R> = Droppable<M, R>>(
    held: Held<M, R> & Copyable<M>,
    forNs: number,
    rights?: readonly K[],
  ): Steps<CapabilityTo<M, K | Lasting<M, R>>> {
    const { sys, node } = this;
    const kind = held[KIND];
    const bits = copyRights(kind, rights);
    return this.#hold(
      kind,
      yield* this.#into((slot) => cnode.expire(sys, node.handle, slot, held.handle, bits, forNs)),
    );
  }

  /** What the kernel says of a capability's slot. */
  *inspect(held: Carried): Steps<SlotInfo> {
    return yield* cnode.inspect(this.sys, this.node.handle, handleIndex(held.handle));
  }

  /** Whether a process holds a capability to the same object with these of the kernel's rights, and the same badge. */
  *verify(
    holder: Held<ProcessMethods, "read">,
    held: Carried,
    rights: readonly KernelRight[],
  ): Steps<boolean> {
    return yield* process.verify(this.sys, holder.handle, held.handle, kernelRights(rights));
  }

  #hold<M, R extends RightName>(kind: Kind<M>, handle: number): CapabilityTo<M, R> {
    return hold(kind, this, handle);
  }

  *#into(place: (slot: number) => Steps<number>): Steps<number> {
    const slot = this.slots.take();
    try {
      return yield* place(slot);
    } catch (error) {
      this.slots.give(slot);
      throw error;
    }
  }

  #forget(held: Carried): void {
    const index = handleIndex(held.handle);
    if (this.slots.isTaken(index)) this.slots.give(index);
  }
}
