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
