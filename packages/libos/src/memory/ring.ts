/**
 * A ring of slots in a frame that two sides have mapped: one fills slots, the other empties them.
 *
 * | byte | what | who stores it |
 * |---|---|---|
 * | 0 | a fingerprint of what a slot holds | whoever made the ring, once |
 * | 64 | the filler's index | the filler |
 * | 68 | the filler has ended | the filler |
 * | 128 | the emptier's index | the emptier |
 * | 132 | the emptier has ended | the emptier |
 * | 192 | the filler waits | the filler stores 1, the emptier takes it |
 * | 196 | the emptier waits | the emptier stores 1, the filler takes it |
 * | 256 ... | the slots | the filler |
 *
 * An index counts modulo twice the number of slots, so that full and empty differ, whatever that number is.
 *
 * **Trust.** A side keeps its own index to itself and only ever stores it. How large the ring is it knows from the size of the frame
 * and from its own declaration. Of what the other side stores it goes by one word, that one's index: loaded once, and checked before
 * it is used (it is an index; there is not less to do than there was; there are not more slots than there are). What comes of it is
 * a number of slots from 0 to all, so no address is ever made of anything that the other side wrote. Its flags lead to a trap or to
 * the end. A side that is woken in vain gives up after some times.
 *
 * **No wake-up is lost.** All of these words are stored and loaded in one order that both sides see (`Atomics`). Who waits
 * stores its flag and *then* loads the other's index once more, and its end; who has moved its index, or ended, loads the other's
 * flag *after* that. If the waiting side does not see the new index, its flag was stored before that index was, so the other
 * side sees the flag, takes it and signals. A signal is a bit of a notification, which stays until the wait takes it, however late
 * that begins. A flag is stored only by who found nothing to do, and is gone with the first signal: so there is a signal only from
 * empty to not empty, and from full to not full, one for however many messages.
 */
import { PAGE_BITS, type Sys } from "@capos/abi";
import { IpcError } from "../ipc-error.js";
import type { Steps } from "../steps.js";

const enum Header {
  FINGERPRINT = 0,
  FILLED = 64,
  FILLER_ENDED = 68,
  EMPTIED = 128,
  EMPTIER_ENDED = 132,
  FILLER_WAITS = 192,
  EMPTIER_WAITS = 196,
  BYTES = 256,
}

/** The bits of the notification that a side waits on. */
export const enum Signal {
  /** The other side has done something. */
  MOVED = 1,
  /** Whoever was watched has ended. */
  WATCHED_ENDED = 2,
}

/** Why a channel cannot go on. */
export type ChannelTrouble = "closed" | "ended" | "broken";

/**
 * What a channel's side throws when it cannot go on: the other side closed it (`closed`), the process or thread that is watched has
 * ended (`ended`), or what the other side wrote into the shared memory cannot be (`broken`), which the message says.
 */
export class ChannelError extends Error {
  // A field, not an assignment: in a hardened realm Error.prototype.name cannot be assigned over.
  override readonly name = "ChannelError";

  constructor(
    readonly trouble: ChannelTrouble,
    detail: string,
  ) {
    super(`channel: ${detail}`);
  }
}

/** Signals without anything to do that a wait bears: an honest side causes one, by a flag that it took a moment too late. */
const MAX_VAIN_SIGNALS = 16;

/** Where a side's ring is, and how it waits and signals. */
export interface RingPlace {
  readonly sys: Sys;
  readonly address: number;
  readonly bytes: number;
  /** A notification (needs RECEIVE) that nobody else waits on. */
  readonly waitsOn: number;
  /** The other side's (needs SEND). */
  readonly signals: number;
}

/** Bytes of a frame for so many slots: a power of two, 4 KiB or more. */
export function ringBytes(slotBytes: number, slots: number): number {
  return 2 ** Math.max(PAGE_BITS, Math.ceil(Math.log2(Header.BYTES + slotBytes * slots)));
}

/** Says what a ring's slots hold, in a frame of zeros. */
export function markRing({ sys, address }: Pick<RingPlace, "sys" | "address">, fingerprint: number): void {
  sys.atomicStore(address + Header.FINGERPRINT, fingerprint);
}

/** Throws `ChannelError` if the slots of a ring hold something else than one takes it for. */
export function checkRing({ sys, address }: Pick<RingPlace, "sys" | "address">, fingerprint: number): void {
  if (sys.atomicLoad(address + Header.FINGERPRINT) !== (fingerprint | 0))
    throw new ChannelError(
      "broken",
      "the other side declares other messages: both need the same declaration",
    );
}

/** One side of a ring. */
export class Ring {
  readonly sys: Sys;
  /** Slots. */
  readonly size: number;
  readonly #slots: number;
  readonly #waitsOn: number;
  readonly #signals: number;
  readonly #isFiller: boolean;
  readonly #own: number;
  readonly #other: number;
  readonly #ownEnded: number;
  readonly #otherEnded: number;
  readonly #ownWaits: number;
  readonly #otherWaits: number;
  /** Where this side is, and what of that it has told. */
  #index = 0;
  #told = 0;
  /** Slots that it can fill or empty, as far as it has looked. */
  #known = 0;
  #trouble: ChannelError | null = null;
  #isOver = false;
  #isWatchedGone = false;

  constructor(
    place: RingPlace,
    readonly slotBytes: number,
    isFiller: boolean,
  ) {
    const { sys, address } = place;
    this.sys = sys;
    this.size = Math.floor((place.bytes - Header.BYTES) / slotBytes);
    if (this.size < 1)
      throw new RangeError(
        `channel: a frame of ${place.bytes} bytes has no room for a message of ${slotBytes}`,
      );
    this.#slots = address + Header.BYTES;
    this.#waitsOn = place.waitsOn;
    this.#signals = place.signals;
    this.#isFiller = isFiller;
    this.#own = address + (isFiller ? Header.FILLED : Header.EMPTIED);
    this.#other = address + (isFiller ? Header.EMPTIED : Header.FILLED);
    this.#ownEnded = address + (isFiller ? Header.FILLER_ENDED : Header.EMPTIER_ENDED);
    this.#otherEnded = address + (isFiller ? Header.EMPTIER_ENDED : Header.FILLER_ENDED);
    this.#ownWaits = address + (isFiller ? Header.FILLER_WAITS : Header.EMPTIER_WAITS);
    this.#otherWaits = address + (isFiller ? Header.EMPTIER_WAITS : Header.FILLER_WAITS);
    if (isFiller) this.#known = this.size;
  }

  /** The slot that is next to be filled or emptied; 0 if there is none now. Throws `ChannelError`. */
  slot(): number {
    if (this.#known === 0) this.#look();
    return this.#known === 0 ? 0 : this.#slots + (this.#index % this.size) * this.slotBytes;
  }

  /** Slots that can be filled or emptied now. Throws `ChannelError`. */
  count(): number {
    this.#look();
    return this.#known;
  }

  /** Goes on behind the slot that `slot` answered. The other side learns of it with `tell`. */
  advance(): void {
    if (this.#known === 0) throw new RangeError("channel: there is no slot to go on from");
    this.#known--;
    this.#index = this.#index + 1 === 2 * this.size ? 0 : this.#index + 1;
  }

  /** True once `end` was called. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Tells the other side how far this one is, and wakes it if it waits for that. */
  *tell(): Steps<void> {
    if (this.#told === this.#index) return;
    this.#told = this.#index;
    this.sys.atomicStore(this.#own, this.#index);
    if (this.sys.atomicLoad(this.#otherWaits) !== 0) yield* this.#wake();
  }

  /** Tells the other side that this one will not go on; what was told before counts. */
  *end(): Steps<void> {
    if (this.#isOver) return;
    yield* this.tell();
    this.#isOver = true;
    this.sys.atomicStore(this.#ownEnded, 1);
    if (this.sys.atomicLoad(this.#otherWaits) !== 0) yield* this.#wake();
  }

  /**
   * Goes on when there is a slot, having told how far it is; false if the other side has ended, and none will come. Throws `ChannelError`,
   * and `IpcError` if its notification is gone.
   */
  *wait(): Steps<boolean> {
    const { sys } = this;
    for (let vain = 0; ; vain++) {
      if (this.#known !== 0) return true;
      yield* this.tell();
      // What was told before the end counts: the end is looked for first. A filler has nobody to fill for after it.
      let hasEnded = sys.atomicLoad(this.#otherEnded) !== 0;
      if (hasEnded && this.#isFiller) return false;
      this.#look();
      if (this.#known !== 0) return true;
      if (hasEnded) return false;
      if (this.#isWatchedGone) throw this.#fail("ended", "the other side has ended");
      if (vain > MAX_VAIN_SIGNALS)
        throw this.#fail("broken", `the other side signalled ${vain} times with nothing to do`);
      sys.atomicStore(this.#ownWaits, 1);
      hasEnded = sys.atomicLoad(this.#otherEnded) !== 0;
      this.#look();
      if (this.#known === 0 && !hasEnded) {
        const answer = yield sys.wait(this.#waitsOn);
        if (answer < 0) throw new IpcError(answer, "wait for channel");
        this.#isWatchedGone ||= (sys.badge() & Signal.WATCHED_ENDED) !== 0;
      }
      sys.atomicStore(this.#ownWaits, 0);
    }
  }

  /** Loads the other side's index, once, and checks it. */
  #look(): void {
    if (this.#trouble !== null) throw this.#trouble;
    const { size } = this;
    const index = this.sys.atomicLoad(this.#other);
    if (index < 0 || index >= 2 * size)
      throw this.#fail(
        "broken",
        `the other side wrote ${index} as its index, which is from 0 to ${2 * size - 1}`,
      );
    const ahead = this.#isFiller ? this.#index - index : index - this.#index;
    const filled = ahead < 0 ? ahead + 2 * size : ahead;
    if (filled > size)
      throw this.#fail("broken", `the other side claims ${filled} messages in a ring of ${size}`);
    const count = this.#isFiller ? size - filled : filled;
    if (count < this.#known)
      throw this.#fail("broken", "the other side took back what it had said: its index went backwards");
    this.#known = count;
  }

  #fail(trouble: ChannelTrouble, detail: string): ChannelError {
    this.#trouble = new ChannelError(trouble, detail);
    // Nothing of what was known before counts.
    this.#known = 0;
    return this.#trouble;
  }

  *#wake(): Steps<void> {
    if (this.sys.atomicExchange(this.#otherWaits, 0) === 0) return;
    const answer = yield this.sys.notify(this.#signals);
    if (answer < 0) throw new IpcError(answer, "wake channel");
  }

  /** Notes that the other side cannot be trusted, and gives the error to be thrown, now and at each later use. */
  distrust(detail: string): ChannelError {
    return this.#fail("broken", detail);
  }
}
