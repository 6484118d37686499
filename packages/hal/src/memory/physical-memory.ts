/**
 * Physical memory: the buffer of one shared WebAssembly.Memory, seen through four views.
 *
 * An object is named by the index of its first 32-bit word (`WordIndex`, physical address / 4): it
 * is a small integer for all of 4 GiB, so no address ever becomes a heap number. A double at word
 * index i stands at f64[i >> 1]; i is even.
 *
 * The views' prototypes are null: `lockdown()` freezes %TypedArray%.prototype, after which Node 20
 * walks the prototype chain on each plain store (44 ns instead of 1). Atomics works on such views.
 */

/** Index of a 32-bit word of physical memory. 0 is never an object: frame 0 belongs to the machine. */
export type WordIndex = number;

export const PAGE_BYTES = 4096;
export const PAGE_WORDS = PAGE_BYTES / 4;
export const LINE_BYTES = 64;
export const LINE_WORDS = LINE_BYTES / 4;

const WASM_PAGE_BYTES = 65536;
const MIB = 1024 * 1024;

/** A machine's memory as threads hand it to each other: a WebAssembly.Memory, whose type only those with the DOM's have. */
export interface SharedMemory {
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
}

/** The memory as a core sees it: four views of the same bytes, made once per thread. */
export interface PhysicalMemory {
  readonly i32: Int32Array;
  readonly f64: Float64Array;
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
}

/**
 * Makes the memory of a machine. Initial is maximum: a shared memory that never grows has one
 * buffer for life, so views in all threads stay whole.
 */
export function allocateMemory(memoryMiB: number): SharedMemory {
  const pages = (memoryMiB * MIB) / WASM_PAGE_BYTES;
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
}

/** A typed array that `lockdown()` cannot slow down. */
export function withoutPrototype<View extends object>(view: View): View {
  return Object.setPrototypeOf(view, null) as View;
}

const typedArrayBuffer = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Float64Array.prototype),
  "buffer",
)!.get!;

/** The buffer of a view whose prototype is gone. */
export function bufferOf(view: Float64Array): ArrayBuffer {
  return typedArrayBuffer.call(view) as ArrayBuffer;
}

/** Makes this thread's views of a machine's memory. */
export function attachMemory(memory: SharedMemory): PhysicalMemory {
  const buffer = memory.buffer;
  return {
    i32: withoutPrototype(new Int32Array(buffer)),
    f64: withoutPrototype(new Float64Array(buffer)),
    u8: withoutPrototype(new Uint8Array(buffer)),
    u16: withoutPrototype(new Uint16Array(buffer)),
  };
}
