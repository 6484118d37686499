/**
 * Pieces of a region, of any size, that come back: what a process keeps its own things in.
 *
 * What is free and what is taken is known here and not in the region, so that nothing that is stored there, by mistake or by another
 * process, can have two overlap, or one lie outside. A piece lies at a multiple of 16 bytes. Free pieces that touch are one; who asks
 * gets the first that is large enough, after the place where the last was found.
 */
import { Err } from "@capos/abi";
import { IpcError } from "../ipc-error.js";

/** Pieces are whole units, at multiples of one. */
const UNIT_BYTES = 16;

/** A piece, in the order of addresses: free or taken, never both; all together they are the region. */
interface Piece {
  address: number;
  bytes: number;
  isFree: boolean;
  before: Piece | null;
  after: Piece | null;
}

/** An allocator within a region. One thread uses it. */
export class Pool {
  readonly #taken = new Map<number, Piece>();
  /** The lowest: split and joined, it stays that. */
  readonly #first: Piece;
  /** Where the next search begins. */
  #from: Piece;
  #freeBytes: number;

  /**
   * Of a region, or a part of one. Throws RangeError for less than 16 bytes.
   *
   * @param address the first byte; pieces begin at the next multiple of 16
   * @param bytes how many there are; what is left behind the last multiple of 16 is not used
   */
  constructor(address: number, bytes: number) {
    const start = Math.ceil(address / UNIT_BYTES) * UNIT_BYTES;
    const whole = Math.floor((address + bytes - start) / UNIT_BYTES) * UNIT_BYTES;
    if (!(Number.isSafeInteger(address) && address >= 0 && Number.isSafeInteger(bytes) && whole > 0))
      throw new RangeError(`pool: there are no ${UNIT_BYTES} bytes in ${bytes} at ${address}`);
    this.#first = { address: start, bytes: whole, isFree: true, before: null, after: null };
    this.#from = this.#first;
    this.#freeBytes = whole;
  }

  /** Bytes that are not taken; not always in one piece. */
  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** Pieces that are taken. */
  get pieces(): number {
    return this.#taken.size;
  }

  /**
   * Takes a piece of at least so many bytes and answers its address; what lies there is what lay there. Throws `IpcError`: `NO_MEMORY` if none
   * is large enough; RangeError for 0 bytes or less, or a fraction.
   */
  take(bytes: number): number {
    if (!(Number.isSafeInteger(bytes) && bytes > 0))
      throw new RangeError(`pool: no piece has ${bytes} bytes`);
    const needed = Math.ceil(bytes / UNIT_BYTES) * UNIT_BYTES;
    const begin = this.#from;
    let piece = begin;
    while (!(piece.isFree && piece.bytes >= needed)) {
      piece = piece.after ?? this.#first;
      if (piece === begin)
        throw new IpcError(Err.NO_MEMORY, "pool", `no ${needed} bytes in a row, ${this.#freeBytes} are free`);
    }
    if (piece.bytes > needed) {
      const rest: Piece = {
        address: piece.address + needed,
        bytes: piece.bytes - needed,
        isFree: true,
        before: piece,
        after: piece.after,
      };
      if (piece.after !== null) piece.after.before = rest;
      piece.after = rest;
      piece.bytes = needed;
    }
    piece.isFree = false;
    this.#from = piece.after ?? piece;
    this.#freeBytes -= needed;
    this.#taken.set(piece.address, piece);
    return piece.address;
  }

  /** How many bytes the piece at an address has. Throws RangeError if none was taken there. */
  sizeOf(address: number): number {
    return this.#at(address).bytes;
  }

  /** Gives a piece back. Throws RangeError if none was taken there, or it was given back before. */
  give(address: number): void {
    const piece = this.#at(address);
    this.#taken.delete(address);
    this.#freeBytes += piece.bytes;
    piece.isFree = true;
    if (piece.after?.isFree === true) this.#join(piece, piece.after);
    if (piece.before?.isFree === true) this.#join(piece.before, piece);
  }

  /** Gives all pieces back. */
  clear(): void {
    for (const address of [...this.#taken.keys()]) this.give(address);
  }

  #at(address: number): Piece {
    const piece = this.#taken.get(address);
    if (piece === undefined) throw new RangeError(`pool: no piece was taken at ${address}`);
    return piece;
  }

  /** Makes one of two pieces that touch. */
  #join(low: Piece, high: Piece): void {
    low.bytes += high.bytes;
    low.after = high.after;
    if (high.after !== null) high.after.before = low;
    if (this.#from === high) this.#from = low;
  }
}
