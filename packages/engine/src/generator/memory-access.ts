/**
 * A guest's loads and stores. They run on its stack, one set for all guests of a core, since all of them go through the
 * core's memory management unit.
 *
 * Arguments are coerced first, which may run code of the guest's. From the look at the buffer to the access nothing of the
 * guest's runs and the core passes no safe point, so a page that was found is mapped until the access is done: whoever takes
 * it away waits for this core to flush.
 */
import { type Sys, USER_END } from "@capos/abi";
import { PAGE_BYTES, Refusal, TLB_ENTRIES } from "@capos/hal";
import type { EngineCore } from "../engine.js";
import { memoryFault } from "../memory-fault.js";
import type { GuestChecks } from "./realm-type.js";
import { uncurry } from "./shim-guard.js";

/** What of `sys` is loads and stores. */
export type MemoryAccess = Pick<
  Sys,
  | "load8"
  | "load16"
  | "load32"
  | "loadF64"
  | "store8"
  | "store16"
  | "store32"
  | "storeF64"
  | "atomicLoad"
  | "atomicStore"
  | "atomicAdd"
  | "atomicAnd"
  | "atomicOr"
  | "atomicXor"
  | "atomicExchange"
  | "atomicCompareExchange"
  | "copy"
  | "fill"
  | "compare"
  | "crc32c"
  | "sum16"
  | "text"
  | "putText"
>;

/** Bytes of a text that is read or stored at once. */
const MAX_TEXT_BYTES = 65_536;
/** Pages of a range between two looks at the time that the guest has used. */
const PAGES_PER_LOOK = 16;

// Taken before a guest's realm is hardened: the kernel's own, which nobody counts.
const copyWithin = uncurry(Uint8Array.prototype.copyWithin);
const fillBytes = uncurry(Uint8Array.prototype.fill);
const { min, floor } = Math;

/** Makes the loads and stores of a core's guests. */
export function makeMemoryAccess(k: EngineCore, checks: GuestChecks): MemoryAccess {
  const { mmu, memory } = k;
  const { i32, f64, u8, u16 } = memory;
  const { readTags, writeTags, frames } = mmu;
  const remainders = castagnoliTable();

  /** Where an address leads (bytes), if the buffer does not know: walks, or throws. */
  function translate(address: number, size: number, isWrite: boolean): number {
    const page = floor(address / PAGE_BYTES);
    const offset = address - page * PAGE_BYTES;
    let refusal = Refusal.NONE;
    if (!(address >= 0 && address < USER_END && (offset | 0) === offset)) refusal = Refusal.NO_ADDRESS;
    else if (offset % size !== 0) refusal = Refusal.UNALIGNED;
    else if (mmu.limit === 0 && !k.enterSpace()) refusal = Refusal.NO_SPACE;
    else refusal = mmu.walk(page, isWrite);
    if (refusal !== Refusal.NONE) refuse(address, isWrite, refusal);
    return frames[page % TLB_ENTRIES] + offset;
  }

  /** Notes what failed, for a page fault: the kernel goes by that. */
  function refuse(address: number, isWrite: boolean, refusal: Refusal): never {
    const context = k.context!;
    context.faultReason = refusal;
    context.faultAddress = address;
    context.faultIsStore = isWrite;
    throw memoryFault(address, isWrite, refusal);
  }

  function readable(address: number, size: number): number {
    const page = floor(address / PAGE_BYTES);
    const offset = address - page * PAGE_BYTES;
    const i = page & (TLB_ENTRIES - 1);
    return address >= 0 &&
      address < mmu.limit &&
      readTags[i] === page + mmu.base &&
      (offset & (PAGE_BYTES - size)) === offset
      ? frames[i] + offset
      : translate(address, size, false);
  }

  function writable(address: number, size: number): number {
    const page = floor(address / PAGE_BYTES);
    const offset = address - page * PAGE_BYTES;
    const i = page & (TLB_ENTRIES - 1);
    return address >= 0 &&
      address < mmu.limit &&
      writeTags[i] === page + mmu.base &&
      (offset & (PAGE_BYTES - size)) === offset
      ? frames[i] + offset
      : translate(address, size, true);
  }

  function find(address: number, isWrite: boolean): number {
    return isWrite ? writable(address, 1) : readable(address, 1);
  }

  /** How many bytes from an address on lie in its page. */
  function restOfPage(address: number): number {
    return PAGE_BYTES - (address % PAGE_BYTES);
  }

  /** A count of bytes, coerced: what is none is refused where it ends. */
  function length(address: number, bytes: number): number {
    if (!(bytes >= 0 && floor(bytes) === bytes)) throw new RangeError(`${bytes} bytes`);
    if (bytes > 0 && !(address >= 0 && floor(address) === address && address + bytes <= USER_END))
      refuse(address, false, Refusal.NO_ADDRESS);
    return bytes;
  }

  let pages = 0;
  /** A range goes on to its next page. */
  function nextPage(): void {
    if (++pages < PAGES_PER_LOOK) return;
    pages = 0;
    checks.tick();
  }

  /** Calls `use` with each run of bytes that lie together, from the first on. */
  function each(
    address: number,
    bytes: number,
    isWrite: boolean,
    use: (at: number, count: number) => void,
  ): void {
    for (let done = 0; done < bytes; ) {
      const count = min(bytes - done, restOfPage(address + done));
      use(find(address + done, isWrite), count);
      done += count;
      nextPage();
    }
  }

  const access: MemoryAccess = {
    load8: (address) => u8[readable(+address, 1)],
    load16: (address) => u16[readable(+address, 2) / 2],
    load32: (address) => i32[readable(+address, 4) / 4],
    loadF64: (address) => f64[readable(+address, 8) / 8],
    store8(address, value) {
      const at = +address;
      const bits = value | 0;
      u8[writable(at, 1)] = bits;
    },
    store16(address, value) {
      const at = +address;
      const bits = value | 0;
      u16[writable(at, 2) / 2] = bits;
    },
    store32(address, value) {
      const at = +address;
      const bits = value | 0;
      i32[writable(at, 4) / 4] = bits;
    },
    storeF64(address, value) {
      const at = +address;
      const number = +value;
      f64[writable(at, 8) / 8] = number;
    },
    atomicLoad: (address) => Atomics.load(i32, readable(+address, 4) / 4),
    atomicStore(address, value) {
      const at = +address;
      const bits = value | 0;
      return Atomics.exchange(i32, writable(at, 4) / 4, bits);
    },
    atomicAdd(address, value) {
      const at = +address;
      const bits = value | 0;
      return Atomics.add(i32, writable(at, 4) / 4, bits);
    },
    atomicAnd(address, value) {
      const at = +address;
      const bits = value | 0;
      return Atomics.and(i32, writable(at, 4) / 4, bits);
    },
    atomicOr(address, value) {
      const at = +address;
      const bits = value | 0;
      return Atomics.or(i32, writable(at, 4) / 4, bits);
    },
    atomicXor(address, value) {
      const at = +address;
      const bits = value | 0;
      return Atomics.xor(i32, writable(at, 4) / 4, bits);
    },
    atomicExchange(address, value) {
      const at = +address;
      const bits = value | 0;
      return Atomics.exchange(i32, writable(at, 4) / 4, bits);
    },
    atomicCompareExchange(address, expected, value) {
      const at = +address;
      const before = expected | 0;
      const bits = value | 0;
      return Atomics.compareExchange(i32, writable(at, 4) / 4, before, bits);
    },
    copy(to, from, bytes) {
      const target = +to;
      const source = +from;
      const count = length(source, +bytes);
      length(target, count);
      const backward = target > source && target < source + count;
      for (let done = 0; done < count; ) {
        const left = count - done;
        let run: number;
        let first: number;
        if (backward) {
          // The bytes before the last one that is left, as far as both lie in one page.
          const last = left - 1;
          run = min(left, ((source + last) % PAGE_BYTES) + 1, ((target + last) % PAGE_BYTES) + 1);
          first = left - run;
        } else {
          run = min(left, restOfPage(source + done), restOfPage(target + done));
          first = done;
        }
        const at = find(source + first, false);
        copyWithin(u8, find(target + first, true), at, at + run);
        done += run;
        nextPage();
      }
    },
    fill(address, value, bytes) {
      const at = +address;
      const byte = value | 0;
      const count = length(at, +bytes);
      each(at, count, true, (start, run) => void fillBytes(u8, byte, start, start + run));
    },
    compare(address, other, bytes) {
      const one = +address;
      const two = +other;
      const count = length(one, +bytes);
      length(two, count);
      for (let done = 0; done < count; ) {
        const run = min(count - done, restOfPage(one + done), restOfPage(two + done));
        // The second may have taken the place of the first in the buffer: both are mapped all the same.
        const a = find(one + done, false);
        const b = find(two + done, false);
        for (let i = 0; i < run; i++) if (u8[a + i] !== u8[b + i]) return u8[a + i] - u8[b + i];
        done += run;
        nextPage();
      }
      return 0;
    },
    crc32c(address, bytes, sofar = 0) {
      const at = +address;
      const count = length(at, +bytes);
      let crc = ~sofar;
      each(at, count, false, (start, run) => {
        for (let i = start; i < start + run; i++) crc = remainders[(crc ^ u8[i]) & 0xff] ^ (crc >>> 8);
      });
      return ~crc >>> 0;
    },
    sum16(address, bytes) {
      const at = +address;
      const count = length(at, +bytes);
      let sum = 0;
      let isHigh = true;
      each(at, count, false, (start, run) => {
        for (let i = start; i < start + run; i++) {
          sum += isHigh ? u8[i] << 8 : u8[i];
          isHigh = !isHigh;
        }
      });
      while (sum > 0xffff) sum = (sum % 0x10000) + floor(sum / 0x10000);
      return sum;
    },
    text(address, bytes) {
      const at = +address;
      const count = length(at, +bytes);
      refuseLong(count);
      // A copy of its own: who shares the memory writes while it is decoded.
      const copy = new Uint8Array(count);
      let done = 0;
      each(at, count, false, (start, run) => {
        for (let i = 0; i < run; i++) copy[done++] = u8[start + i];
      });
      return decode(copy);
    },
    putText(address, text) {
      const at = +address;
      const encoded = encode(`${text}`);
      const count = length(at, encoded.length);
      refuseLong(count);
      let done = 0;
      each(at, count, true, (start, run) => {
        for (let i = 0; i < run; i++) u8[start + i] = encoded[done++];
      });
      return count;
    },
  };
  // One set for all guests of the core: nobody leaves anything there for others.
  for (const each of Object.values(access)) Object.freeze(each);
  return Object.freeze(access);
}

function refuseLong(bytes: number): void {
  if (bytes > MAX_TEXT_BYTES)
    throw new RangeError(`a text of ${bytes} bytes, the limit is ${MAX_TEXT_BYTES}`);
}

/** The remainders of the Castagnoli polynomial, reflected: 0x82f63b78. */
function castagnoliTable(): Int32Array {
  return Int32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) !== 0 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    return crc;
  });
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();
const decodeBytes = uncurry(TextDecoder.prototype.decode);
const encodeText = uncurry(TextEncoder.prototype.encode);
const decode = (bytes: Uint8Array): string => decodeBytes(decoder, bytes);
const encode = (text: string): Uint8Array => encodeText(encoder, text);
