/** Memory for the library's tests: loads and stores of one stretch of addresses, seen and met by whoever likes. */
import type { Sys } from "@capos/abi";

/** What `sys` has of loads and stores, and of notifications as far as a channel needs them. */
export class FakeMemory {
  readonly view: DataView;
  /** Called before each access, with where it goes. */
  meanwhile: (address: number, bytes: number) => void = () => {};
  /** Numbers of notifications that were signalled, in order. */
  readonly signalled: number[] = [];
  accesses = 0;

  constructor(
    readonly start: number,
    readonly bytes: number,
    buffer = new ArrayBuffer(bytes),
  ) {
    this.view = new DataView(buffer);
  }

  /** Another that sees the same bytes. */
  beside(start = this.start): FakeMemory {
    return new FakeMemory(start, this.bytes, this.view.buffer as ArrayBuffer);
  }

  /** Where an address leads. Throws for one that is outside, or not a multiple of its size. */
  #at(address: number, bytes: number): number {
    this.accesses++;
    this.meanwhile(address, bytes);
    const at = address - this.start;
    if (!(Number.isInteger(at) && at >= 0 && at + bytes <= this.bytes))
      throw new Error(`outside: ${bytes} bytes at ${address}`);
    if (bytes <= 8 && at % bytes !== 0) throw new Error(`unaligned: ${bytes} bytes at ${address}`);
    return at;
  }

  get sys(): Sys {
    const { view } = this;
    const at = (address: number, bytes: number) => this.#at(address, bytes);
    const exchanging =
      (change: (old: number, value: number) => number) => (address: number, value: number) => {
        const place = at(address, 4);
        const old = view.getInt32(place, true);
        view.setInt32(place, change(old, value), true);
        return old;
      };
    const sys: Partial<Sys> = {
      load8: (address) => view.getUint8(at(address, 1)),
      load16: (address) => view.getUint16(at(address, 2), true),
      load32: (address) => view.getInt32(at(address, 4), true),
      loadF64: (address) => view.getFloat64(at(address, 8), true),
      store8: (address, value) => view.setUint8(at(address, 1), value),
      store16: (address, value) => view.setUint16(at(address, 2), value, true),
      store32: (address, value) => view.setInt32(at(address, 4), value, true),
      storeF64: (address, value) => view.setFloat64(at(address, 8), value, true),
      atomicLoad: (address) => view.getInt32(at(address, 4), true),
      atomicStore: exchanging((_, value) => value),
      atomicExchange: exchanging((_, value) => value),
      atomicAdd: exchanging((old, value) => old + value),
      atomicCompareExchange: (address, expected, value) => {
        const place = at(address, 4);
        const old = view.getInt32(place, true);
        if (old === (expected | 0)) view.setInt32(place, value, true);
        return old;
      },
      copy: (to, from, bytes) => {
        if (bytes === 0) return;
        const all = new Uint8Array(view.buffer);
        const source = at(from, bytes);
        all.copyWithin(at(to, bytes), source, source + bytes);
      },
      notify: (handle) => {
        this.signalled.push(handle);
        return TRAP.NOTIFY;
      },
      wait: () => TRAP.WAIT,
      yield: () => TRAP.YIELD,
      badge: () => this.bits,
    };
    return sys as Sys;
  }

  /** What a wait answers. */
  bits = 1;
}

/** What is yielded. */
export const TRAP = { NOTIFY: 1, WAIT: 2, YIELD: 3 } as const;
