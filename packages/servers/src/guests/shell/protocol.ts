/**
 * What whoever sits at a shell asks of it. The shell gives its door to the host alone, by a capability that it was started
 * with, so nobody else can ask.
 *
 * Images and processes come into the shell's hands by `slot`: it names an empty slot, and init puts there what the host
 * has decided to give.
 */
import { MAX_FAULT_CALLERS, MAX_FAULT_TEXT_BYTES, MAX_NAME_BYTES } from "@capos/abi";
import { bytesUpTo, capability, i32, list, protocol, textUpTo, u8, u32 } from "@capos/libos";

/** Line and column of a caller, 32 bits each. */
const BYTES_PER_CALLER = 8;

/** log2 of the bytes that a shell needs for itself. One that has no more starts nothing. */
export const READ_ONLY_BITS = 10;

/** How many images a program of a shell's may import, with those that they import. */
export const MAX_ASSETS = 24;

/** What the host serves to a shell that it has started. */
export const ShellHost = /* @__PURE__ */ protocol("shell-host", {
  /** The shell answers at its door from now on. */
  ready: { request: { door: capability }, reply: {} },
});

export const Shell = /* @__PURE__ */ protocol("shell", {
  /** The registered name at an index from 0 on; `NOT_FOUND` behind the last. */
  name: { request: { index: u32 }, reply: { name: textUpTo(MAX_NAME_BYTES) } },
  /** What a name stands for; `NOT_FOUND` if nobody registered it. */
  lookup: { request: { name: textUpTo(MAX_NAME_BYTES) }, reply: { endpoint: capability } },
  /** An empty slot, for something to be put there. `DENIED` to a shell that was given no memory for programs. */
  slot: { request: {}, reply: { slot: u32 } },
  /** Nothing is to be done with what a slot holds, if it holds something. */
  discard: { request: { slot: u32 }, reply: {} },
  /**
   * Starts the image in a slot, with arguments that came with it. The program ends with the shell. Throws what
   * `spawnProcess` does; `assets` are slots of the images that it imports, `memoryBits` is log2 of the bytes of its untyped memory.
   */
  start: {
    request: {
      slot: u32,
      assets: list(u32, MAX_ASSETS),
      name: textUpTo(MAX_NAME_BYTES),
      core: u8,
      priority: u8,
      memoryBits: u8,
      console: capability,
    },
    reply: { pid: u32 },
  },
  /** Takes the process in a slot for one that it may end. */
  adopt: { request: { slot: u32 }, reply: { pid: u32 } },
  /** Ends a program, and answers when nothing of it runs. `NOT_FOUND` if the shell has no capability to it. */
  end: { request: { pid: u32 }, reply: {} },
  /** How a program ended, once it has: a `LifeState`, and what a fault said and where. `NOT_FOUND` as above. */
  ended: {
    request: { pid: u32 },
    reply: {
      state: u8,
      status: i32,
      line: u32,
      column: u32,
      fault: textUpTo(MAX_FAULT_TEXT_BYTES),
      callers: bytesUpTo(MAX_FAULT_CALLERS * BYTES_PER_CALLER),
    },
  },
});
