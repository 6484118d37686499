/**
 * `Memory`: an address space with page tables that are made when they are needed, and the regions in it.
 *
 *     const memory = yield* os.memorySpace();
 *     const region = yield* memory.allocate(64 * 1024);
 *     sys.store32(region.address, 7);
 *
 * Threads of a process share its address space and not the list of what is free in it, as with slots: each
 * takes from a range of addresses of its own, and may map in any place that it names. Where two name the same,
 * the kernel tells the second. The tables of a thread that is ended (`endThread`) end with it, and with them what others
 * mapped in its range.
 */
import { Err, PAGE_BITS } from "@capos/abi";
import type { Capability } from "../capability.js";
import type { Kind } from "../held.js";
import { IpcError } from "../ipc-error.js";
import { process } from "../kernel-calls.js";
import { AddressSpace, Frame, PageTable } from "../kernel-objects.js";
import { type KernelRight, kernelRights } from "../rights.js";
import type { Steps } from "../steps.js";
import { AddressRanges } from "./address-ranges.js";
import { type Made, type MemoryOwner, make, unmake } from "./made.js";

/** What a page can allow: `read`, `read` and `write`, or `read` and `execute`. */
export type PageRight = "read" | "write" | "execute";

/** A frame that can be mapped. */
export type MappableFrame = Capability<typeof Frame, "map">;

/** A frame that this thread made, with all rights. */
export type OwnFrame = Capability<typeof Frame, KernelRight>;

/** Where and how a frame is mapped. */
export interface MapOptions {
  /** A multiple of the frame's size; a free one of the thread's own range unless told. */
  readonly address?: number;
  /** `read` and `write` unless told. */
  readonly rights?: readonly PageRight[];
}

/** Frames that lie together in an address space. */
export interface Region<F extends MappableFrame = MappableFrame> {
  /** The first address. */
  readonly address: number;
  readonly bytes: number;
  /** In the order of their addresses. */
  readonly frames: readonly F[];
  /** Its only frame. Throws RangeError if there are several: `allocate` gives one for a power of two of bytes. */
  readonly frame: F;
  /** Changes what its pages allow. Throws `IpcError`: `DENIED` if a frame's capability allows less. */
  protect(rights: readonly PageRight[]): Steps<void>;
  /**
   * Ends the mapping, if it has not gone with the frame's capability, and gives the addresses back. The frames stay whose they
   * are: one that was moved away may have been mapped by who has it now. Once it is unmapped nothing happens.
   */
  unmap(): Steps<void>;
}

/** A region whose frames this thread made. */
export interface OwnRegion extends Region<OwnFrame> {
  /** Unmaps it and has its memory back: the frames end, whoever has them by now, with all that was made of them. */
  free(): Steps<void>;
}

/** Addresses that each thread has for itself: 1 TiB, the first 1 TiB being nobody's. */
const RANGE_BYTES = 2 ** 40;
const RANGES = 126;

/** Frames of `allocate` are no larger: 1 MiB to 1 GiB all have entries of one table. */
const MAX_PART_BITS = 30;

/** Places tried where other threads have mapped something in this thread's range; and tables, of which three can be missing. */
const MAX_TRIES = 64;

/** An address space, and what is free in it. */
export class Memory {
  readonly #ranges: AddressRanges;
  /** Tables that another thread was quicker to put in place. */
  readonly #spareTables: Capability<typeof PageTable, KernelRight>[] = [];

  private constructor(
    /** Whose slots and memory it takes. */
    readonly owner: MemoryOwner,
    /** For other threads of the process: `os.memorySpace(handle)`. */
    readonly space: Capability<typeof AddressSpace, KernelRight>,
  ) {
    const start = (1 + (owner.threadIndex % RANGES)) * RANGE_BYTES;
    this.#ranges = new AddressRanges(start, start + RANGE_BYTES);
  }

  /** Makes the address space of a process, or takes the one that another of its threads made. See `Os.memorySpace`. */
  static *open(os: MemoryOwner, space?: number): Steps<Memory> {
    if (space !== undefined)
      return new Memory(os, os.cspace.as(AddressSpace, space, ["read", "write", "map"]) as never);
    const made = yield* make(os, AddressSpace);
    try {
      yield* process.use(os.sys, os.environment.process, made.object.handle);
    } catch (error) {
      yield* unmake(os, made);
      throw error;
    }
    return new Memory(os, made.object);
  }

  /**
   * Maps a frame. Throws `IpcError`: `DENIED` if its capability has not these rights, `BUSY` if it is mapped somewhere
   * (a copy can be mapped too), `MAPPED` if something is at the address that was told, `NO_MEMORY` or `NO_RESOURCE` (no free slot,
   * no free address).
   */
  *map<F extends MappableFrame>(frame: F, options: MapOptions = {}): Steps<Region<F>> {
    const bytes = 2 ** (yield* frame.info()).sizeBits;
    const address = yield* this.#mapAll([frame], [bytes], bytes, options);
    return new MappedRegion(this.#ranges, address, bytes, [frame]);
  }

  /**
   * Makes frames of at least so many bytes, zeros, and maps them together. They are whole pages, of sizes that are powers of two: the
   * region has the bytes asked for, rounded up to 4 KiB. Throws `IpcError`: `NO_MEMORY`, `NO_RESOURCE` (no free slot), `BAD_CAP` without
   * untyped memory. Throws RangeError for 0 bytes or less, or a fraction.
   */
  *allocate(bytes: number, rights: readonly PageRight[] = ["read", "write"]): Steps<OwnRegion> {
    if (!(Number.isSafeInteger(bytes) && bytes > 0))
      throw new RangeError(`memory: ${bytes} bytes cannot be allocated`);
    const sizes = partsOf(bytes);
    const made: Made<FrameOf>[] = [];
    try {
      for (const size of sizes) made.push(yield* make(this.owner, Frame, Math.log2(size)));
      const frames = made.map(({ object }) => object);
      const address = yield* this.#mapAll(frames, sizes, sizes[0]!, { rights });
      return new AllocatedRegion(this.#ranges, address, sum(sizes), frames, this.owner, made);
    } catch (error) {
      for (const one of made) yield* unmake(this.owner, one);
      throw error;
    }
  }

  /** Maps frames one behind the other, the largest first, so that each lies at a multiple of its size. */
  *#mapAll(
    frames: readonly MappableFrame[],
    sizes: readonly number[],
    alignment: number,
    { address, rights = ["read", "write"] }: MapOptions,
  ): Steps<number> {
    const bytes = sum(sizes);
    const bits = kernelRights(rights);
    if (address !== undefined) {
      const isOwn = this.#ranges.tryTakeAt(address, bytes);
      // It may be free in the range of another thread: the kernel knows.
      if (!isOwn && address + bytes > this.#ranges.start && address < this.#ranges.end)
        throw new IpcError(Err.MAPPED, "memory", `0x${address.toString(16)} is in use`);
      try {
        yield* this.#mapAt(frames, sizes, address, bits);
      } catch (error) {
        if (isOwn) this.#ranges.give(address, bytes);
        throw error;
      }
      return address;
    }
    for (let tries = 0; ; tries++) {
      const at = this.#ranges.take(bytes, alignment);
      try {
        yield* this.#mapAt(frames, sizes, at, bits);
        return at;
      } catch (error) {
        // Another thread named a place in this one's range: that stays taken, and the next is tried.
        if (isError(error, Err.MAPPED) && tries < MAX_TRIES) continue;
        this.#ranges.give(at, bytes);
        throw error;
      }
    }
  }

  *#mapAt(
    frames: readonly MappableFrame[],
    sizes: readonly number[],
    address: number,
    rights: number,
  ): Steps<void> {
    let at = address;
    let done = 0;
    try {
      for (; done < frames.length; done++) {
        yield* this.#mapOne(frames[done]!, at, rights);
        at += sizes[done]!;
      }
    } catch (error) {
      while (done-- > 0) yield* frames[done]!.unmap();
      throw error;
    }
  }

  /** Maps a frame, and puts in place the tables that the kernel misses on the way. */
  *#mapOne(frame: MappableFrame, address: number, rights: number): Steps<void> {
    for (let tries = 0; ; tries++) {
      try {
        return yield* frame.map(this.space, address, rights);
      } catch (error) {
        if (!isError(error, Err.NO_TABLE) || tries === MAX_TRIES) throw error;
      }
      const table = this.#spareTables.pop() ?? (yield* make(this.owner, PageTable)).object;
      try {
        yield* table.map(this.space, address);
      } catch (error) {
        this.#spareTables.push(table);
        if (!isError(error, Err.MAPPED)) throw error;
      }
    }
  }
}

class MappedRegion<F extends MappableFrame> implements Region<F> {
  #isMapped = true;

  constructor(
    private readonly ranges: AddressRanges,
    readonly address: number,
    readonly bytes: number,
    readonly frames: readonly F[],
  ) {}

  get frame(): F {
    if (this.frames.length !== 1) throw new RangeError(`this region has ${this.frames.length} frames`);
    return this.frames[0]!;
  }

  *protect(rights: readonly PageRight[]): Steps<void> {
    for (const frame of this.frames) yield* frame.protect(kernelRights(rights));
  }

  *unmap(): Steps<void> {
    if (!this.#isMapped) return;
    this.#isMapped = false;
    for (const frame of this.frames) {
      try {
        yield* frame.unmap();
      } catch (error) {
        // The mapping went with the capability.
        if (!isError(error, Err.BAD_CAP) && !isError(error, Err.REVOKED)) throw error;
      }
    }
    const { start, end } = this.ranges;
    if (this.address >= start && this.address < end) this.ranges.give(this.address, this.bytes);
  }
}

class AllocatedRegion extends MappedRegion<OwnFrame> implements OwnRegion {
  #isFree = false;

  constructor(
    ranges: AddressRanges,
    address: number,
    bytes: number,
    frames: readonly OwnFrame[],
    private readonly os: MemoryOwner,
    private readonly made: readonly Made<FrameOf>[],
  ) {
    super(ranges, address, bytes, frames);
  }

  *free(): Steps<void> {
    if (this.#isFree) return;
    this.#isFree = true;
    yield* this.unmap();
    for (const one of this.made) yield* unmake(this.os, one);
  }
}

type FrameOf = typeof Frame extends Kind<infer M> ? M : never;

/** Whole pages as powers of two, the largest first. */
function partsOf(bytes: number): number[] {
  const sizes: number[] = [];
  let left = Math.ceil(bytes / 2 ** PAGE_BITS) * 2 ** PAGE_BITS;
  while (left > 0) {
    const size = Math.min(2 ** MAX_PART_BITS, 2 ** Math.floor(Math.log2(left)));
    sizes.push(size);
    left -= size;
  }
  return sizes;
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}

function isError(error: unknown, code: Err): boolean {
  return error instanceof IpcError && error.code === code;
}
