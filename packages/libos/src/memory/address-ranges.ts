/**
 * Free addresses: ranges of an address space that nobody has been given.
 *
 * A list of ranges in order, none touching the next: what is given back joins its neighbours, so any two
 * ranges that are free and lie together are one. What is taken is noted nowhere here; a range is given back
 * by who took it, and one that is free in part is refused.
 */
import { Err, PAGE_BITS } from "@capos/abi";
import { IpcError } from "../ipc-error.js";

/** A range of free addresses: from `start` to before `end`. */
interface Range {
  start: number;
  end: number;
}

const PAGE_BYTES = 2 ** PAGE_BITS;

/** An allocator of addresses, in whole pages. */
export class AddressRanges {
  readonly #free: Range[];

  /** @param start the first address, and `end` the first behind the last: multiples of 4 KiB */
  constructor(
    readonly start: number,
    readonly end: number,
  ) {
    if (!(isPage(start) && isPage(end) && start > 0 && start < end))
      throw new RangeError(`addresses: no range of pages from ${start} to ${end}`);
    this.#free = [{ start, end }];
  }

  /** Bytes that nobody has. */
  get freeBytes(): number {
    return this.#free.reduce((sum, { start, end }) => sum + end - start, 0);
  }

  /**
   * Takes the lowest range of so many bytes at a multiple of `alignment`. Throws `IpcError`: `NO_RESOURCE` if there is none.
   *
   * @param bytes a multiple of 4 KiB, above 0
   * @param alignment a power of two, 4 KiB or more
   */
  take(bytes: number, alignment: number): number {
    checkBytes(bytes);
    for (let i = 0; i < this.#free.length; i++) {
      const { start, end } = this.#free[i]!;
      const at = Math.ceil(start / alignment) * alignment;
      if (at + bytes > end) continue;
      this.#cut(i, at, at + bytes);
      return at;
    }
    throw new IpcError(Err.NO_RESOURCE, "addresses", `no ${bytes} bytes in a row are free`);
  }

  /** Takes just this range, and answers false if any of it is taken. What lies outside of these addresses counts as taken. */
  tryTakeAt(address: number, bytes: number): boolean {
    checkBytes(bytes);
    const i = this.#free.findIndex(({ start, end }) => start <= address && address + bytes <= end);
    if (i < 0 || !isPage(address)) return false;
    this.#cut(i, address, address + bytes);
    return true;
  }

  /** Gives a range back. Throws RangeError if any of it is free, or is not of these addresses. */
  give(address: number, bytes: number): void {
    checkBytes(bytes);
    const end = address + bytes;
    const next = this.#free.findIndex((range) => range.start >= address);
    const at = next < 0 ? this.#free.length : next;
    const before = this.#free[at - 1];
    const after = this.#free[at];
    const isApart =
      isPage(address) &&
      address >= this.start &&
      end <= this.end &&
      (before === undefined || before.end <= address) &&
      (after === undefined || end <= after.start);
    if (!isApart) throw new RangeError(`addresses: ${bytes} bytes at ${address} were not taken from here`);
    const joinsBefore = before?.end === address;
    const joinsAfter = after?.start === end;
    if (joinsBefore && joinsAfter) {
      before.end = after.end;
      this.#free.splice(at, 1);
    } else if (joinsBefore) before.end = end;
    else if (joinsAfter) after.start = address;
    else this.#free.splice(at, 0, { start: address, end });
  }

  #cut(i: number, from: number, to: number): void {
    const { start, end } = this.#free[i]!;
    const left: Range[] = [];
    if (start < from) left.push({ start, end: from });
    if (to < end) left.push({ start: to, end });
    this.#free.splice(i, 1, ...left);
  }
}

function isPage(address: number): boolean {
  return Number.isSafeInteger(address) && address % PAGE_BYTES === 0;
}

function checkBytes(bytes: number): void {
  if (!(isPage(bytes) && bytes > 0)) throw new RangeError(`addresses: ${bytes} bytes are no whole pages`);
}
