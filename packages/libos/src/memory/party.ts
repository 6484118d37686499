/**
 * A party: threads, of whatever processes and cores, that share memory and locks in it, and learn of each other's ends.
 *
 * Each member sleeps on a notification of its own, which the others signal. A monitor for each pair signals it too when the
 * other has ended. So whoever sleeps is woken by each end, and looks again at what it waits for. What this rests on: a
 * monitor says of a thread or process that it has ended when it runs no more, says so for ever, and signals after that.
 *
 * A member is known by its number and a generation, which stands in the shared memory and goes up when another takes its place:
 * what is held by an earlier generation is held by nobody, whatever the monitor says of the present one.
 *
 * Members trust each other as far as the memory goes: one that stores into a lock it does not hold breaks what the lock guards.
 * It cannot make the others touch other memory, nor go round without a trap.
 */
import { Err, handleIndex, ObjectType, Right, type Sys } from "@capos/abi";
import type { Held } from "../held.js";
import { type Carried, handleOf } from "../held.js";
import { IpcError } from "../ipc-error.js";
import { cnode, monitor } from "../kernel-calls.js";
import type { ProcessMethods, ThreadMethods } from "../kernel-objects.js";
import type { Steps } from "../steps.js";
import { type MadeMany, type MemoryOwner, makeMany, unmakeMany } from "./made.js";

/** Members that a party can have, with its maker: 2 to this many. */
export const MAX_MEMBERS = 8;

/** Bytes of shared memory, at a multiple of 4, that a party needs: a generation a member. */
export const PARTY_BYTES = 4 * MAX_MEMBERS;

const enum Signal {
  WOKEN = 1,
  ENDED = 2,
}

/** What the owner of a lock is known by: 30 bits, never 0. */
const ID_BITS = 8;
const LAST_GENERATION = 2 ** 22 - 1;

/** What a member knows of another. */
interface Other {
  /** Signals it. */
  readonly wake: number;
  /** Says whether it has ended. */
  readonly monitor: number;
}

/** What the maker of a party has besides. */
interface Making {
  readonly owner: MemoryOwner;
  readonly made: readonly MadeMany[];
  /** Handles of what was derived from these. */
  readonly derived: readonly number[];
  /** By the one that is watched and the one that is told: a monitor, and what it signals. */
  readonly monitors: readonly (readonly number[])[];
  readonly endings: readonly number[];
}

/** One member of a party, as that member has it: one thread uses it. */
export class Party {
  /** Its generation, moved to where it stands in a lock's word, with its number. */
  readonly key: number;

  private constructor(
    readonly sys: Sys,
    private readonly address: number,
    /** The member's number; 0 is the maker. */
    readonly id: number,
    private readonly sleeps: number,
    private readonly others: readonly (Other | null)[],
    private readonly making: Making | null,
  ) {
    this.key = this.#keyOf(id);
  }

  /** How many can be members. */
  get members(): number {
    return this.others.length;
  }

  /**
   * Makes a party, and is its member 0. `peers[i]` is what member i is to be given, as `gifts` or in messages, for `Party.attach`; its maker then
   * says with `watch` who it is. Throws RangeError for less than 2 members or more than 8; `IpcError`: `NO_MEMORY`, `NO_RESOURCE`.
   *
   * @param address where all have mapped `PARTY_BYTES` bytes of zeros
   */
  static *make(
    owner: MemoryOwner & { readonly environment: { readonly thread: number } },
    address: number,
    members: number,
  ): Steps<{ readonly party: Party; readonly peers: readonly (readonly number[])[] }> {
    if (!(Number.isInteger(members) && members >= 2 && members <= MAX_MEMBERS))
      throw new RangeError(`a party has 2 to ${MAX_MEMBERS} members, not ${members}`);
    const { sys, slots } = owner;
    const all = Array.from({ length: members }, (_, i) => i);
    const made: MadeMany[] = [];
    const derived: number[] = [];

    function* into(place: (slot: number) => Steps<number>): Steps<number> {
      const slot = slots.take();
      try {
        const handle = yield* place(slot);
        derived.push(handle);
        return handle;
      } catch (error) {
        slots.give(slot);
        throw error;
      }
    }
    const minted = (source: number, rights: number, badge: number) =>
      into((slot) => cnode.mint(sys, slots.cnode, slot, source, rights, badge));
    const copied = (source: number, rights: number) =>
      into((slot) => cnode.copy(sys, slots.cnode, slot, source, rights));

    try {
      made.push(yield* makeMany(owner, ObjectType.NOTIFICATION, members));
      made.push(yield* makeMany(owner, ObjectType.MONITOR, members * (members - 1)));
      const [sleeps, watchers] = made.map(({ handles }) => handles) as [readonly number[], readonly number[]];
      const wakes: number[] = [];
      const endings: number[] = [];
      for (const one of sleeps) {
        wakes.push(yield* minted(one, Right.SEND | Right.GRANT, Signal.WOKEN));
        endings.push(yield* minted(one, Right.SEND, Signal.ENDED));
      }
      let next = 0;
      const monitors = all.map((i) => all.map((j) => (i === j ? 0 : watchers[next++]!)));
      const peers: number[][] = [];
      for (const k of all) {
        peers.push([]);
        if (k === 0) continue;
        peers[k]!.push(yield* copied(sleeps[k]!, Right.RECEIVE | Right.GRANT));
        for (const j of all) {
          if (j === k) continue;
          peers[k]!.push(wakes[j]!, yield* copied(monitors[j]![k]!, Right.READ | Right.GRANT));
        }
      }
      for (const i of all) sys.atomicStore(address + 4 * i, 1);
      const others = all.map((j) => (j === 0 ? null : { wake: wakes[j]!, monitor: monitors[j]![0]! }));
      const making = { owner, made, derived, monitors, endings };
      const party = new Party(sys, address, 0, sleeps[0]!, others, making);
      yield* party.watch(0, owner.environment.thread);
      return { party, peers };
    } catch (error) {
      yield* undo(owner, made, derived);
      throw error;
    }
  }

  /** A member's side, with what its maker gave it. Throws RangeError for handles that are not a member's. */
  static attach(sys: Sys, address: number, id: number, handles: readonly (number | Carried)[]): Party {
    const members = (handles.length + 1) / 2;
    if (!(Number.isInteger(members) && id > 0 && id < members && members <= MAX_MEMBERS))
      throw new RangeError(`${handles.length} handles are not those of member ${id} of a party`);
    const [sleeps, ...rest] = handles.map(handleOf);
    const others = Array.from({ length: members }, (_, j): Other | null => {
      if (j === id) return null;
      const at = 2 * (j < id ? j : j - 1);
      return { wake: rest[at]!, monitor: rest[at + 1]! };
    });
    return new Party(sys, address, id, sleeps!, others, null);
  }

  /**
   * Says who a member is: the process or thread (needs READ) whose end the others shall learn of. Only for the maker. Throws RangeError for
   * a number that is none.
   */
  *watch(
    id: number,
    target: Held<ProcessMethods, "read"> | Held<ThreadMethods, "read"> | number,
  ): Steps<void> {
    const { monitors, endings } = this.#made(id);
    for (let told = 0; told < this.members; told++)
      if (told !== id) yield* monitor.watch(this.sys, monitors[id]![told]!, handleOf(target), endings[told]!);
  }

  /**
   * Makes room for another in the place of a member that has ended, before that other is started; `watch` then says who it is. It is given what
   * the former was given. Only for the maker. Throws `IpcError`: `BUSY` if the member has not ended.
   */
  *renew(id: number): Steps<void> {
    this.#made(id);
    if (id === 0 || !(yield* this.hasEnded(this.#keyOf(id))))
      throw new IpcError(Err.BUSY, "party", `member ${id} has not ended`);
    const generation = this.sys.atomicLoad(this.address + 4 * id);
    this.sys.atomicStore(this.address + 4 * id, (generation & LAST_GENERATION) + 1);
  }

  /** Takes down what the party was made of. Only for the maker: who sleeps then is woken by an error. */
  *free(): Steps<void> {
    const { owner, made, derived } = this.#made(0);
    yield* undo(owner, made, derived);
  }

  #made(id: number): Making {
    if (this.making === null) throw new TypeError("a party is changed by its maker");
    if (!(Number.isInteger(id) && id >= 0 && id < this.members))
      throw new RangeError(`member ${id} of ${this.members}`);
    return this.making;
  }

  #keyOf(id: number): number {
    const generation = this.sys.atomicLoad(this.address + 4 * id) & LAST_GENERATION;
    return (generation << ID_BITS) | (id + 1);
  }

  /** Whether whoever a key is of has ended, or another has taken its place. Throws RangeError for what is no key. */
  *hasEnded(key: number): Steps<boolean> {
    const id = (key & (2 ** ID_BITS - 1)) - 1;
    if (!(id >= 0 && id < this.members) || key < 0)
      throw new RangeError(`${key} is the key of no member: who stored it does not keep to the rules`);
    if (this.#keyOf(id) !== key) return true;
    const other = this.others[id];
    // Its own thread has not.
    return other === null || other === undefined
      ? false
      : (yield* monitor.status(this.sys, other.monitor)).ended;
  }

  /** This member's bit in a word of those who wait. */
  get bit(): number {
    return 1 << this.id;
  }

  /** Sleeps until it is woken, or a member has ended: then it has to look again at what it waits for. */
  *sleep(): Steps<void> {
    const answer = yield this.sys.wait(this.sleeps);
    if (answer < 0) throw new IpcError(answer, "sleep in party");
  }

  /**
   * Takes one member out of a word of those who wait and wakes it, the next after this one first; false if none waits. One that has ended is passed
   * over: if it ends after that was looked at, its end wakes all others.
   */
  *wakeOne(waiting: number): Steps<boolean> {
    const { sys, members } = this;
    for (let n = 1; n <= members; n++) {
      const id = (this.id + n) % members;
      const bit = 1 << id;
      if ((sys.atomicLoad(waiting) & bit) === 0 || (sys.atomicAnd(waiting, ~bit) & bit) === 0) continue;
      const other = this.others[id];
      if (other === null || other === undefined || (yield* this.hasEnded(this.#keyOf(id)))) continue;
      const answer = yield sys.notify(other.wake);
      if (answer < 0) throw new IpcError(answer, "wake in party");
      return true;
    }
    return false;
  }
}

/** Ends all that was made, with what was derived from it. */
function* undo(owner: MemoryOwner, made: readonly MadeMany[], derived: readonly number[]): Steps<void> {
  for (const one of made) yield* unmakeMany(owner, one);
  for (const handle of derived) owner.slots.give(handleIndex(handle));
}
