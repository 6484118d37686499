/**
 * What a guest is given: `sys`, the only thing in its world, and the image it comes in.
 */

import type { Words } from "./pack.js";

/**
 * The kernel as one thread sees it. Every function but the accessors answers a trap number, to be
 * yielded at once: `const n = yield sys.call(echo, 2)`. The yield answers zero or more (for a
 * receive: the number of words) or an `Err`.
 */
export interface Sys {
  /** The message words, `words[0]` to `words[63]`: outgoing before a trap, incoming after it. */
  readonly words: Words;
  /** The number of words the thread was started with. They stand in `words` when `main` begins. */
  readonly startWords: number;
  /** The text that the thread's image was loaded with: arguments for which `words` have no room. Mostly empty. */
  readonly startText: string;

  /** Blocks until a receiver took the message of `count` words and the given capabilities. Needs SEND (GRANT for capabilities). */
  send(handle: number, count?: number, ...capabilities: number[]): number;
  /** Blocks until a message comes. Needs RECEIVE. The badge is in `badge()`. */
  recv(handle: number): number;
  /** Sends and blocks for the answer; on a kernel object an invocation, `words[0]` being the `Method`. */
  call(handle: number, count?: number, ...capabilities: number[]): number;
  /** Answers the call received last. */
  reply(count?: number, ...capabilities: number[]): number;
  /** Answers through a saved reply (see `saveReply`), which it uses up. */
  replyTo(reply: number, count?: number, ...capabilities: number[]): number;
  /** Answers the call received last, then receives. */
  replyRecv(handle: number, count?: number, ...capabilities: number[]): number;
  /** Sends only if a receiver waits, else `WOULD_BLOCK`. */
  nbSend(handle: number, count?: number, ...capabilities: number[]): number;
  /** Receives only if a sender waits, else `WOULD_BLOCK`. */
  nbRecv(handle: number): number;
  /** ORs the capability's badge (1 if it has none) into the notification. Needs SEND. */
  notify(handle: number): number;
  /** Blocks until the notification has bits and takes them; they are in `badge()`. Needs RECEIVE. */
  wait(handle: number): number;
  /** Takes the notification's bits, or answers `WOULD_BLOCK`. */
  poll(handle: number): number;
  /** Lets the next thread of the same priority run. */
  yield(): number;
  /** Enters and leaves the kernel. */
  nothing(): number;
  /** Ends this thread with a status, 0 to 255. */
  exit(status: number): number;
  /** Moves the reply to the call received last into the empty slot `index`; the yield answers 0, `capability(0)` its handle. */
  saveReply(index: number): number;

  /**
   * Loads and stores in the address space of the process. An address is a whole number below 2^47; a number of 16 bits or more
   * lies at a multiple of its size. None of them traps: it is done when the call returns, or throws a `MemoryFault` that says
   * what was not mapped, and then nothing was stored. `load8` and `load16` answer what is not negative, `load32` an integer
   * with a sign; stores take the low bits of their value.
   */
  load8(address: number): number;
  load16(address: number): number;
  load32(address: number): number;
  loadF64(address: number): number;
  store8(address: number, value: number): void;
  store16(address: number, value: number): void;
  store32(address: number, value: number): void;
  storeF64(address: number, value: number): void;
  /** On 32 bits, in one order for all cores. All but `atomicLoad` need a page that can be written; each answers the old value. */
  atomicLoad(address: number): number;
  atomicStore(address: number, value: number): number;
  atomicAdd(address: number, value: number): number;
  atomicAnd(address: number, value: number): number;
  atomicOr(address: number, value: number): number;
  atomicXor(address: number, value: number): number;
  atomicExchange(address: number, value: number): number;
  atomicCompareExchange(address: number, expected: number, value: number): number;
  /**
   * Ranges, of any number of bytes at any address, page by page. One that meets a page that is not mapped throws a
   * `MemoryFault` with its address; what lies before it in the direction of the work is done. `copy` may overlap.
   */
  copy(to: number, from: number, bytes: number): void;
  fill(address: number, value: number, bytes: number): void;
  /** Below 0, 0, above 0: as the first bytes that differ. */
  compare(address: number, other: number, bytes: number): number;
  /** The Castagnoli checksum, as x86_64 computes it: 0 to 2^32 - 1. Of what follows: with the checksum so far. */
  crc32c(address: number, bytes: number, sofar?: number): number;
  /** The sum of the Internet's protocols: of words of 16 bits, the high byte first, with the carry added; not inverted. */
  sum16(address: number, bytes: number): number;
  /** UTF-8, at most 64 KiB, as a text; what is no UTF-8 becomes U+FFFD. */
  text(address: number, bytes: number): string;
  /** Stores a text as UTF-8, at most 64 KiB; answers its bytes. */
  putText(address: number, text: string): number;

  /**
   * Tells the process's fault handler of the load or store that failed last, and blocks for its answer: `NOT_FOUND` without a
   * handler, else as a call. The registers are kept meanwhile, and no capability is received; `endFault`, to be called
   * next, puts them back and answers the first word of the handler's answer. See `access` in the library.
   */
  raiseFault(): number;
  endFault(): number;

  /** Badge of the message received last, or bits of the notification taken last. */
  badge(): number;
  /** True when the receive was ended by the thread's bound notification, whose bits are then in `badge()`. */
  notified(): boolean;
  /** Receive capabilities into `count` empty slots from `index` on (0 is deaf). Holds until changed. */
  receiveInto(index: number, count: number): void;
  /** How many capabilities the message received last brought. */
  arrived(): number;
  /** The handle of the i-th capability that arrived, 0 to 3; its badge, if it is `unwrapped`. */
  capability(i: number): number;
  /** True if the i-th capability that arrived names the endpoint it was sent to: it takes no slot, `capability(i)` is its badge. */
  unwrapped(i: number): boolean;
  /** True when the receive brought no message: the slot that was minted with `badge()` has no descendants left. */
  noSenders(): boolean;
  /**
   * Has the i-th capability of a message arrive with at most `rights`: `yield sys.narrowed(sys.send(ep, 1, file), 0, Right.READ)`.
   * To be used on the trap that was just built.
   */
  narrowed(trap: number, i: number, rights: number): number;
  /** Has the i-th capability of a message moved instead of copied: the sender's slot is empty afterwards. */
  moved(trap: number, i: number): number;
}

/** A guest's entry: what its image exports by default. The returned number is its exit status. */
// biome-ignore lint/suspicious/noConfusingVoidType: it is the return type of a function that may return nothing
export type Main = (sys: Sys) => Generator<number, number | undefined | void, number>;

/** What an image's code is, and so what a core runs it with. */
export const enum ImageKind {
  /** A function expression that makes a generator function: see `Image`. */
  GENERATOR = 0,
  COUNT = 1,
}

/** One guest program, bundled and instrumented, ready for a hardened Compartment. */
export interface Image {
  /** What it is called in messages: a server's name, or the user's file. */
  readonly name: string;
  /**
   * The source of one function expression: `(tick, condemned) => main`. Evaluating it runs nothing;
   * calling it runs the module's top level.
   */
  readonly code: string;
  /** Source map (JSON) from `code` to the guest's own files. */
  readonly map: string;
  /** The images that it imports, and those that these do, each once, as its code numbers them. None if it is not there. */
  readonly assets?: readonly Image[];
}
