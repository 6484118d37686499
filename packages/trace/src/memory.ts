/** Three views of the same shared bytes. A place is the index of a 32-bit word; a double at word `i`, which is even, stands at `f64[i >> 1]`. */
export interface TraceMemory {
  readonly i32: Int32Array;
  readonly f64: Float64Array;
  readonly u8: Uint8Array;
}
