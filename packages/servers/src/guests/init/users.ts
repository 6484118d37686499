/**
 * User processes: started and ended as the host asks, and reported when they end.
 *
 * Each has a badge that no other process ever had. When its first thread ends it has ended: what is
 * left of it is killed, the services that keep things for it are told, then the host is.
 */
import { Right, USER_CEILING } from "@capos/abi";
import { cnode, type Gift, process, type Steps } from "@capos/libos";
import type { CheckedRequest, ExitEvent, RunRequest } from "../control-protocol.js";
import type { Identity } from "../registry.js";
import { Badge, MAX_USER_PROCESSES, USER_CNODE_BITS } from "../system.js";
import type { Authority } from "./authority.js";
import { buryIfEnded, type Child, startChild } from "./child.js";
import type { Deposits } from "./deposits.js";
import type { Services } from "./services.js";

const BRIDGE_DEVICE = 4;

/** A request that cannot be carried out, with a message for people. */
export class Refusal extends Error {}

interface User extends Identity {
  readonly id: number;
  readonly badge: number;
  readonly isBridge: boolean;
  /** The badges of its children that are known by names of their own; null if it may have none. */
  readonly adopted: Set<number> | null;
  readonly child: Child;
}

export class Users {
  /** A user's index says which bit its end is signalled by: index modulo the number of watchers. */
  readonly #table: (User | undefined)[] = [];
  readonly #byBadge = new Map<number, User>();
  readonly #adopted = new Map<number, Identity>();
  #nextBadge: number = Badge.FIRST_USER;
  #turn = 0;

  /** @param watchers capabilities that signal init that a process has ended, shared by many */
  constructor(
    private readonly init: Authority,
    private readonly services: Services,
    private readonly deposits: Deposits,
    /** The endpoint that init answers. */
    private readonly registry: number,
    private readonly watchers: readonly number[],
  ) {}

  /** Who has a badge, if it is that of a process that has not ended. */
  identity(badge: number): Identity | undefined {
    return this.#byBadge.get(badge) ?? this.#adopted.get(badge);
  }

  /** Gives a child of a process a badge, under which it has a name; null if that process may not, or has too many. */
  adopt(parent: number, name: string, core: number): number | null {
    const user = this.#byBadge.get(parent);
    const badge = this.#nextBadge;
    if (user === undefined || user.adopted === null) return null;
    if (user.adopted.size >= MAX_USER_PROCESSES || badge > Badge.LAST) return null;
    this.#nextBadge++;
    user.adopted.add(badge);
    this.#adopted.set(badge, { name, core, labelled: user.labelled });
    return badge;
  }

  /** Whether a badge is that of the bridge. */
  isBridge(badge: number): boolean {
    return this.#byBadge.get(badge)?.isBridge === true;
  }

  /** Starts a process. Throws `Refusal`, or what `startChild` throws. */
  *run(request: Required<RunRequest>): Steps<void> {
    const { id, name, labelled } = request;
    if (this.#table.some((user) => user?.id === id)) throw new Refusal(`id ${id} is in use`);
    const index = this.#freeIndex();
    const badge = this.#nextBadge;
    if (badge > Badge.LAST) throw new Refusal("no badge is left");
    const child = yield* this.#start(request, badge, this.watchers[index % this.watchers.length]!);
    this.#nextBadge++;
    const user = {
      id,
      name,
      core: child.core,
      labelled,
      badge,
      isBridge: request.bridge,
      adopted: request.adopts ? new Set<number>() : null,
      child,
    };
    this.#table[index] = user;
    this.#byBadge.set(badge, user);
  }

  /** What it runs, and is given to run, init holds only while it starts: it is gone with the last process that has it. */
  *#start(request: Required<RunRequest>, badge: number, watcher: number): Steps<Child> {
    const images: number[] = [];
    const takeImage = function* (this: Users, number: number): Steps<number> {
      const handle = yield* this.init.image(number);
      images.push(handle);
      return handle;
    };
    try {
      const image = yield* takeImage.call(this, request.image);
      const assets: Gift[] = [];
      for (const number of request.assets) assets.push({ handle: yield* takeImage.call(this, number) });
      const handed: Gift[] = [];
      for (const one of request.handed) {
        if ("deposit" in one) handed.push({ handle: this.deposits.handleOf(one.deposit) });
        else {
          const handle = yield* takeImage.call(this, one.image);
          const brought: number[] = [];
          for (const number of one.assets ?? []) brought.push(yield* takeImage.call(this, number));
          handed.push({ handle, assets: brought });
        }
      }
      return yield* this.#startWith({ image, assets, handed }, request, badge, watcher);
    } finally {
      for (const image of images) yield* this.init.drop(image);
    }
  }

  #startWith(
    given: { readonly image: number; readonly assets: readonly Gift[]; readonly handed: readonly Gift[] },
    request: Required<RunRequest>,
    badge: number,
    watcher: number,
  ): Steps<Child> {
    return startChild(this.init, {
      name: request.name,
      image: given.image,
      cores: request.cores ?? this.#nextCores(),
      priority: request.priority,
      ceiling: USER_CEILING,
      memoryBits: request.memoryBits,
      threads: request.threads,
      args: request.args,
      cnodeBits: USER_CNODE_BITS,
      names: this.services.client("names", badge),
      log: this.services.client("log", badge),
      console:
        request.console === null
          ? this.services.client("console", badge)
          : { handle: this.deposits.handleOf(request.console) },
      ...(request.debug && { debug: { handle: this.init.debug } }),
      assets: given.assets,
      handed: [
        ...given.handed,
        ...(request.bridge ? this.#bridgeGifts(badge) : []),
        ...(request.adopts ? [{ handle: this.registry, rights: Right.SEND, badge }] : []),
      ],
      watcher,
    });
  }

  #bridgeGifts(badge: number): Gift[] {
    return [
      { handle: this.init.port(BRIDGE_DEVICE), rights: Right.READ | Right.WRITE },
      { handle: this.init.interrupt(BRIDGE_DEVICE), rights: Right.WRITE },
      { handle: this.registry, rights: Right.SEND | Right.GRANT, badge },
    ];
  }

  /** Gives a process a capability. Throws `Refusal` if there is no such process, and what the kernel says of the slot. */
  *give({ to, slot, what }: Extract<CheckedRequest, { readonly op: "give" }>): Steps<void> {
    const { sys } = this.init;
    const { space } = this.#userOf(to).child;
    if ("process" in what) {
      const { process } = this.#userOf(what.process).child;
      yield* cnode.copy(sys, space, slot, process, Right.READ | Right.WRITE);
      return;
    }
    const image = yield* this.init.image(what.image);
    try {
      yield* cnode.copy(sys, space, slot, image, Right.ALL);
    } finally {
      yield* this.init.drop(image);
    }
  }

  #userOf(id: number): User {
    const user = this.#table.find((one) => one?.id === id);
    if (user === undefined) throw new Refusal(`no process has the id ${id}`);
    return user;
  }

  /** Kills a process; gives its exit. Throws `Refusal` if there is none. */
  *kill(id: number): Steps<ExitEvent | null> {
    const user = this.#userOf(id);
    yield* process.kill(this.init.sys, user.child.process);
    return yield* this.#bury(this.#table.indexOf(user));
  }

  /** Looks after the processes of watcher number i, which was signalled; gives the exits of those that have ended. */
  *attend(watcher: number): Steps<ExitEvent[]> {
    const exits: ExitEvent[] = [];
    for (let index = watcher; index < this.#table.length; index += this.watchers.length) {
      const exit = yield* this.#bury(index);
      if (exit !== null) exits.push(exit);
    }
    return exits;
  }

  *#bury(index: number): Steps<ExitEvent | null> {
    const user = this.#table[index];
    if (user === undefined) return null;
    const status = yield* buryIfEnded(this.init, user.child);
    if (status === null) return null;
    // In this order: who is told of an ending and asks finds it ended.
    this.#table[index] = undefined;
    this.#byBadge.delete(user.badge);
    for (const badge of user.adopted ?? []) this.#adopted.delete(badge);
    if (user.isBridge) yield* this.deposits.dropAll();
    yield* this.services.tellEnding();
    return { event: "exit", id: user.id, ...status };
  }

  #freeIndex(): number {
    for (let index = 0; index < MAX_USER_PROCESSES; index++)
      if (this.#table[index] === undefined) return index;
    throw new Refusal(`${MAX_USER_PROCESSES} processes run, which is the limit`);
  }

  /** Every core but init's, beginning with another one each time; then init's. */
  #nextCores(): number[] {
    const { cores, ownCore } = this.init;
    const others = Array.from({ length: cores - 1 }, (_, i) => (ownCore + 1 + i) % cores);
    const first = others.length === 0 ? 0 : this.#turn++ % others.length;
    return [...others.slice(first), ...others.slice(0, first), ownCore];
  }
}
