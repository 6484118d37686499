/**
 * A server's own objects: files, sessions, whatever it has, as capabilities that the kernel guards.
 *
 * Each time the server gives one of its objects to somebody it mints a badge, a *session*, and notes
 * what the session is about and which rights it has. The kernel says with each request which badge it
 * came through; nobody but the server can make a capability with that badge or change it, so what the
 * table says of a badge is what its holders may do. The rights of a session never change.
 *
 *     const notes = new Objects<typeof Notes, Note>(os.cspace, Notes, endpoint, {
 *       onGone: (note) => void shelf.delete(note),
 *     });
 *     yield* os.names.register("notes", yield* notes.entrance());
 *     yield* Notes.serve(os.sys, endpoint, {
 *       *open({ name }) { return { note: yield* notes.mint(shelf.get(name), ["read", "write"]) }; },
 *       ...
 *     }, { slots: os.slots, objects: notes });
 *
 * The server keeps the slot that it minted, and what it gives is derived from that. When the last
 * capability derived from it is gone, wherever it was, the kernel says so: the session is forgotten and
 * its slot empty again. What is derived from nothing that is kept could not be counted, and what is kept
 * without ever having been given would never be told of: so a session begins with a copy for the
 * client, in the server's CSpace, which `serve` deletes when the reply has gone, arrived or not.
 *
 * Whoever holds the endpoint without a badge could mint a badge of the server's itself. So the public
 * gets `entrance`, never the endpoint.
 */
import { Err, Right } from "@capos/abi";
import type { MethodsOf } from "./capability.js";
import type { CSpace } from "./cspace.js";
import { type AnyKind, type Held, handleOf, hold } from "./held.js";
import { IpcError } from "./ipc-error.js";
import { cnode } from "./kernel-calls.js";
import type { EndpointMethods } from "./kernel-objects.js";
import { type CarryRight, carryRights, type ObjectRight, objectRights } from "./rights.js";
import type { ObjectTable } from "./server.js";
import { isSteps, type MaybeSteps, type Steps } from "./steps.js";

/** How a server keeps its objects. */
export interface ObjectsOptions<T> {
  /** Called when nobody holds a capability to the object any more. Not called by `close`. */
  readonly onGone?: (object: T) => MaybeSteps<void>;
  /**
   * The badge of the entrance; sessions count from the next. Lower ones are free for others who mint
   * badges of the same endpoint (init says by them which process is calling). 2^31 unless told.
   */
  readonly firstBadge?: number;
}

interface Session<T> {
  readonly object: T;
  readonly rights: number;
  /** The capability that the server keeps. */
  readonly minted: number;
}

const FIRST_BADGE = 0x8000_0000;
const LAST_BADGE = 0xffff_ffff;

/** A server's own objects: what it gives to its clients as capabilities, and who has which right to which. */
export class Objects<K extends AnyKind, T> implements ObjectTable<T> {
  readonly #sessions = new Map<number, Session<T>>();
  /** The badges of each object's sessions. */
  readonly #badges = new Map<T, Set<number>>();
  readonly #endpoint: number;
  readonly #first: number;
  #next: number;

  /**
   * @param cspace where the server keeps one slot a session, and takes another for a moment
   * @param kind the protocol that is served
   * @param endpoint what it is served on, with all rights and without a badge
   */
  constructor(
    private readonly cspace: CSpace,
    private readonly kind: K,
    endpoint: number | Held<EndpointMethods, "send" | "grant">,
    private readonly options: ObjectsOptions<T> = {},
  ) {
    this.#endpoint = handleOf(endpoint);
    this.#first = options.firstBadge ?? FIRST_BADGE;
    this.#next = this.#first;
  }

  /** How many sessions there are. */
  get size(): number {
    return this.#sessions.size;
  }

  /** A capability for everybody: to the server, and to none of its objects. It can call methods that need no right. */
  *entrance(): Steps<Held<MethodsOf<K>, CarryRight>> {
    return this.#hold(yield* this.#mint(this.#first));
  }

  /**
   * Begins a session: a capability to an object with these rights, to be given away in an `own` field of a
   * reply. Throws `IpcError`: `NO_RESOURCE` without two empty slots.
   */
  *mint<const R extends ObjectRight>(
    object: T,
    rights: readonly R[],
  ): Steps<Held<MethodsOf<K>, R | CarryRight>> {
    return yield* this.#begin(object, objectRights(rights));
  }

  /** The object that a badge stands for. Throws `IpcError`: `BAD_CAP` if it stands for none, `DENIED` without these rights. */
  get(badge: number, rights: readonly ObjectRight[] = []): T {
    const session = this.#sessions.get(badge);
    if (session === undefined) throw new IpcError(Err.BAD_CAP, this.kind.name);
    const needed = objectRights(rights);
    if ((session.rights & needed) !== needed) throw new IpcError(Err.DENIED, this.kind.name);
    return session.object;
  }

  find(badge: number): { readonly object: T; readonly rights: number } | undefined {
    return this.#sessions.get(badge);
  }

  /** A session on the same object with those of the badge's rights that `rights` has. It needs the right to ask. */
  *narrow(badge: number, rights: number): Steps<Held<MethodsOf<K>, never>> {
    const object = this.get(badge, ["narrow"]);
    return yield* this.#begin(object, this.#sessions.get(badge)!.rights & rights);
  }

  /** Takes an object back from everybody: all capabilities to it end, on every core, before this is back. */
  *close(object: T): Steps<void> {
    const { sys, node, slots } = this.cspace;
    const badges = this.#badges.get(object);
    if (badges === undefined) return;
    this.#badges.delete(object);
    for (const badge of [...badges]) {
      const { minted } = this.#sessions.get(badge)!;
      this.#sessions.delete(badge);
      yield* cnode.revoke(sys, node.handle, minted);
      yield* slots.drop(sys, minted);
    }
  }

  /** Ends a session that nobody holds a capability of. `serve` calls it when the kernel says so. */
  *forget(badge: number): Steps<void> {
    const session = this.#sessions.get(badge);
    if (session === undefined) return;
    const { object, minted } = session;
    this.#sessions.delete(badge);
    yield* this.cspace.slots.drop(this.cspace.sys, minted);
    const badges = this.#badges.get(object);
    if (badges === undefined) return;
    badges.delete(badge);
    if (badges.size > 0) return;
    this.#badges.delete(object);
    const result = this.options.onGone?.(object);
    if (isSteps(result)) yield* result;
  }

  *#begin<R extends ObjectRight>(object: T, rights: number): Steps<Held<MethodsOf<K>, R | CarryRight>> {
    const { sys, node, slots } = this.cspace;
    const badge = this.#takeBadge();
    const minted = yield* this.#mint(badge);
    let slot = 0;
    let given: number;
    try {
      slot = slots.take();
      given = yield* cnode.copy(sys, node.handle, slot, minted, Right.ALL);
    } catch (error) {
      if (slot !== 0) slots.give(slot);
      yield* slots.drop(sys, minted);
      throw error;
    }
    this.#sessions.set(badge, Object.freeze({ object, rights, minted }));
    const badges = this.#badges.get(object);
    if (badges === undefined) this.#badges.set(object, new Set([badge]));
    else badges.add(badge);
    return this.#hold(given);
  }

  /** A badge that no session has; it comes back as late as can be. */
  #takeBadge(): number {
    do this.#next = this.#next === LAST_BADGE ? this.#first + 1 : this.#next + 1;
    while (this.#sessions.has(this.#next));
    return this.#next;
  }

  *#mint(badge: number): Steps<number> {
    const { sys, node, slots } = this.cspace;
    const slot = slots.take();
    try {
      const rights = carryRights(["grant", "revoke"]);
      return yield* cnode.mint(sys, node.handle, slot, this.#endpoint, rights, badge);
    } catch (error) {
      slots.give(slot);
      throw error;
    }
  }

  #hold(handle: number): never {
    return hold(this.kind, this.cspace, handle);
  }
}
