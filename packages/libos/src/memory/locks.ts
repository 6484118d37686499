/**
 * Locks, semaphores and conditions in memory that the members of a party share.
 *
 * Each is a word and a word of those who wait, a bit a member. Who waits sets its bit and *then* looks at the word; who changes
 * the word looks at the bits *after* that, takes one out and signals it: one of the two sees the other, since both see all of
 * these (`Atomics`) in one order, and a signal stays until it is taken. One who was signalled and finds that another was quicker
 * sets its bit again. One who ends before it has used its signal wakes all others by its end (`Party`).
 */
import type { Sys } from "@capos/abi";
import type { Steps } from "../steps.js";
import type { Party } from "./party.js";

/** Bytes of a lock, a semaphore or a condition in shared memory, of zeros at first, at a multiple of 4. */
export const LOCK_BYTES = 8;

const WAITING = 4;

/** Turns without a trap that a member makes where others change a word all the time. */
const MAX_TURNS = 64;

/**
 * A lock that one member has at a time. It is robust: when its holder ends, the next gets it, and is told so, because what the
 * lock guards may be half changed.
 */
export class Lock {
  readonly #sys: Sys;

  /** @param address where its `LOCK_BYTES` bytes are */
  constructor(
    readonly party: Party,
    private readonly address: number,
  ) {
    this.#sys = party.sys;
  }

  /** Takes it if it is free, or its holder has ended: true and `died` then. Else false. Throws RangeError if this member has it. */
  *tryAcquire(): Steps<{ readonly acquired: boolean; readonly died: boolean }> {
    const { key } = this.party;
    for (let turn = 1; ; turn++) {
      const holder = this.#sys.atomicCompareExchange(this.address, 0, key);
      if (holder === 0) return { acquired: true, died: false };
      if (holder === key) throw new RangeError("lock: this member has it");
      if (!(yield* this.party.hasEnded(holder))) return { acquired: false, died: false };
      if (this.#sys.atomicCompareExchange(this.address, holder, key) === holder)
        return { acquired: true, died: true };
      if (turn % MAX_TURNS === 0) yield this.#sys.yield();
    }
  }

  /**
   * Takes it when it is free. True if the one who had it has ended: what it guards may be half changed, and whoever is told so is to
   * put that right. Throws RangeError if this member has it, or something was stored there that is no member's key.
   */
  *acquire(): Steps<boolean> {
    const { party, address } = this;
    if (this.#sys.atomicCompareExchange(address, 0, party.key) === 0) return false;
    const waiting = address + WAITING;
    for (;;) {
      this.#sys.atomicOr(waiting, party.bit);
      const { acquired, died } = yield* this.tryAcquire();
      if (acquired) {
        this.#sys.atomicAnd(waiting, ~party.bit);
        return died;
      }
      yield* party.sleep();
    }
  }

  /** Lets the next have it. Throws RangeError if this member has it not. */
  *release(): Steps<void> {
    const { party, address } = this;
    if (this.#sys.atomicCompareExchange(address, party.key, 0) !== party.key)
      throw new RangeError("lock: this member has it not");
    if (this.#sys.atomicLoad(address + WAITING) !== 0) yield* party.wakeOne(address + WAITING);
  }
}

/** A number that members take from, and wait for while it is 0. It has no owner: what one who ends had taken is not given back. */
export class Semaphore {
  readonly #sys: Sys;

  /** @param address where its `LOCK_BYTES` bytes are */
  constructor(
    readonly party: Party,
    private readonly address: number,
  ) {
    this.#sys = party.sys;
  }

  /** Takes one if there is one, and answers whether. */
  tryAcquire(): boolean {
    for (;;) {
      const count = this.#sys.atomicLoad(this.address);
      if (count <= 0) return false;
      if (this.#sys.atomicCompareExchange(this.address, count, count - 1) === count) return true;
    }
  }

  /** Takes one when there is one. */
  *acquire(): Steps<void> {
    const { party, address } = this;
    if (this.tryAcquire()) return;
    for (;;) {
      this.#sys.atomicOr(address + WAITING, party.bit);
      if (this.tryAcquire()) {
        // Else a signal for others would go to this one.
        this.#sys.atomicAnd(address + WAITING, ~party.bit);
        return;
      }
      yield* party.sleep();
    }
  }

  /** Puts so many there, 1 unless told, and wakes as many as wait for them. Throws RangeError for less than 1, or more than 2^30. */
  *release(count = 1): Steps<void> {
    if (!(Number.isInteger(count) && count > 0 && count <= 2 ** 30))
      throw new RangeError(`semaphore: ${count} of them`);
    this.#sys.atomicAdd(this.address, count);
    for (let i = 0; i < count && this.#sys.atomicLoad(this.address + WAITING) !== 0; i++)
      if (!(yield* this.party.wakeOne(this.address + WAITING))) return;
  }
}

/**
 * Something that a lock guards becoming so: members wait for it without the lock. They look again when they are back, because another may
 * have been quicker.
 */
export class Condition {
  readonly #sys: Sys;

  /**
   * @param lock what guards it; all use the same
   * @param address where its `LOCK_BYTES` bytes are
   */
  constructor(
    readonly lock: Lock,
    private readonly address: number,
  ) {
    this.#sys = lock.party.sys;
  }

  /** Lets the lock go, waits to be signalled, and takes the lock: true if the one who had it has ended. Needs the lock. */
  *wait(): Steps<boolean> {
    const { party } = this.lock;
    const waiting = this.address + WAITING;
    // Before the lock is free: who changes what it guards after this sees the bit.
    this.#sys.atomicOr(waiting, party.bit);
    yield* this.lock.release();
    while ((this.#sys.atomicLoad(waiting) & party.bit) !== 0) yield* party.sleep();
    return yield* this.lock.acquire();
  }

  /** Wakes one who waits, if one does. With the lock, or after letting it go. */
  *signal(): Steps<void> {
    yield* this.lock.party.wakeOne(this.address + WAITING);
  }

  /** Wakes all who wait. */
  *broadcast(): Steps<void> {
    for (let i = 0; i < this.lock.party.members; i++)
      if (!(yield* this.lock.party.wakeOne(this.address + WAITING))) return;
  }
}
