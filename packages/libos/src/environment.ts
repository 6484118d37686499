/**
 * The environment: what a thread is given at its start, as the words its register file begins with.
 *
 * | word | what it is |
 * |---|---|
 * | 0 | `ENVIRONMENT_VERSION`; a thread that finds something else was started by something else |
 * | 1, 2, 3 | handles of its CNode, its process, itself |
 * | 4, 5, 6 | handles of the endpoints of names, log, console |
 * | 7, 8, 9 | handles of Debug, of untyped memory and of its image |
 * | 10, 11 | the empty slots of its CNode that are its own: first index, count |
 * | 12 | its index in its process, 0 for the first thread |
 * | 13, 14 | the core it was placed on, the cores that were online |
 * | 15, 16 | the slots with the images that its own imports: first index, count |
 * | 17 | how many slots behind those have images that were handed over, with what each of them imports: see `AssetSlots` |
 * | 18 | numbers that its starter handed over, usually handles |
 * | 19 | arguments; `ARGUMENTS_IN_IMAGE`: they are in `sys.startText`, a NUL after each |
 * | 20 | bytes of text |
 * | 21 ... | those numbers, then the text, packed: the name, then each argument after a NUL |
 *
 * A handle is 0 where there is none. Whoever starts a thread writes this with `encodeEnvironment` and
 * passes it to `thread.start`, which has room for 63 words; that leaves 252 bytes for name and
 * arguments, six less for each number handed over. Longer arguments come with the image: the host, which loads it,
 * gives it a text (`argumentsText`).
 */
import { BYTES_PER_WORD, type Sys, type Words, wordsForBytes } from "@capos/abi";
import { MAX_START_WORDS } from "./kernel-calls.js";
import { Slots } from "./slots.js";
import { isPacked, packText, unpackText, utf8Length } from "./text.js";

/** "capos" and a version number; raised when the layout changes. */
export const ENVIRONMENT_VERSION = 0x6361_706f_7304;

const enum At {
  VERSION = 0,
  CNODE = 1,
  PROCESS = 2,
  THREAD = 3,
  NAMES = 4,
  LOG = 5,
  CONSOLE = 6,
  DEBUG = 7,
  UNTYPED = 8,
  IMAGE = 9,
  FIRST_FREE_SLOT = 10,
  FREE_SLOT_COUNT = 11,
  THREAD_INDEX = 12,
  CORE = 13,
  CORES = 14,
  FIRST_ASSET_SLOT = 15,
  ASSET_COUNT = 16,
  BROUGHT_COUNT = 17,
  HANDED_COUNT = 18,
  ARGUMENT_COUNT = 19,
  TEXT_BYTES = 20,
  HANDED = 21,
}

const SEPARATOR = "\0";

/** In the place of a number of arguments: they are in the text that the image was loaded with. */
const ARGUMENTS_IN_IMAGE = 0xffff_ffff;

/** The handles that every thread is given. All name slots of its own CSpace; 0 is none. */
export interface EnvironmentHandles {
  readonly cnode: number;
  readonly process: number;
  readonly thread: number;
  readonly names: number;
  readonly log: number;
  readonly console: number;
  readonly debug: number;
  readonly untyped: number;
  /** What its process runs: with it a guest starts more of itself. */
  readonly image: number;
}

/** Where the images are that a process's own image imports: slots of its CSpace, in the order in which that numbers them. */
export interface AssetSlots {
  readonly first: number;
  readonly count: number;
  /**
   * How many slots behind those have images that were handed over and import others: for each a slot with itself, those
   * with what it imports, as it numbers them, and an empty one.
   */
  readonly brought: number;
}

/** What a starter says of a thread. */
export interface EnvironmentSource extends EnvironmentHandles {
  /** Empty slots of the new thread's CSpace that nobody else uses. */
  readonly firstFreeSlot: number;
  readonly freeSlotCount: number;
  readonly threadIndex: number;
  readonly core: number;
  readonly cores: number;
  readonly assets: AssetSlots;
  readonly name: string;
  /** Null: those that came with its image. */
  readonly args: readonly string[] | null;
  readonly handed: readonly number[];
}

/** What a thread finds at its start. */
export interface Environment extends EnvironmentHandles {
  readonly freeSlots: Slots;
  /** 0 for the first thread of a process. */
  readonly threadIndex: number;
  /** The core the thread was placed on, and how many were online then. */
  readonly core: number;
  readonly cores: number;
  readonly assets: AssetSlots;
  /** What the process is called. */
  readonly name: string;
  readonly args: readonly string[];
  /** Numbers that the starter handed over: handles of this CSpace, or whatever the two agreed on. */
  readonly handed: readonly number[];
}

/**
 * The start words of a thread, for `thread.start`. Throws RangeError if name, arguments and numbers do
 * not fit, or a text contains a NUL.
 */
export function encodeEnvironment(source: EnvironmentSource): number[] {
  const { handed, name } = source;
  const args = source.args ?? [];
  const text = [name, ...args].join(SEPARATOR);
  if (text.split(SEPARATOR).length !== 1 + args.length)
    throw new RangeError("start: a name or argument contains a NUL");
  const room = textRoom(handed.length);
  if (room < 0)
    throw new RangeError(`start: ${handed.length} numbers, there is room for ${MAX_START_WORDS - At.HANDED}`);
  const words: number[] = [
    ENVIRONMENT_VERSION,
    source.cnode,
    source.process,
    source.thread,
    source.names,
    source.log,
    source.console,
    source.debug,
    source.untyped,
    source.image,
    source.firstFreeSlot,
    source.freeSlotCount,
    source.threadIndex,
    source.core,
    source.cores,
    source.assets.first,
    source.assets.count,
    source.assets.brought,
    handed.length,
    source.args === null ? ARGUMENTS_IN_IMAGE : args.length,
    0,
    ...handed,
  ];
  const length = packText(words, words.length, text, room);
  if (length < 0)
    throw new RangeError(
      `start: name and arguments take ${utf8Length(text)} bytes, there is room for ${room}`,
    );
  words[At.TEXT_BYTES] = length;
  return words;
}

function textRoom(handed: number): number {
  return (MAX_START_WORDS - At.HANDED - handed) * BYTES_PER_WORD;
}

/** Whether start words have room for this name and these arguments beside so many numbers that are handed over. */
export function fitsStartWords(name: string, args: readonly string[], handed: number): boolean {
  let room = textRoom(handed) - utf8Length(name);
  for (const argument of args) {
    room -= 1 + utf8Length(argument);
    if (room < 0) return false;
  }
  return room >= 0;
}

/** Arguments as the text of an image: for a thread whose environment has null for them. None may contain a NUL. */
export function argumentsText(args: readonly string[]): string {
  return args.map((argument) => argument + SEPARATOR).join("");
}

/**
 * Reads what the thread was started with. To be called before its first trap, which overwrites it.
 * Throws TypeError if that is no environment of this version.
 */
export function environment(sys: Sys): Environment {
  const { words, startWords } = sys;
  if (startWords < At.HANDED || words[At.VERSION] !== ENVIRONMENT_VERSION) {
    throw new TypeError("no environment in the start words: call this before the first trap");
  }
  const handedCount = words[At.HANDED_COUNT];
  const textBytes = words[At.TEXT_BYTES];
  const textAt = At.HANDED + handedCount;
  if (textAt + wordsForBytes(textBytes) !== startWords || !isPacked(words, textAt, textBytes)) {
    throw new TypeError("the environment in the start words is malformed");
  }
  const handed = copyWords(words, At.HANDED, handedCount);
  const texts = unpackText(words, textAt, textBytes).split(SEPARATOR);
  const name = texts[0]!;
  const inImage = words[At.ARGUMENT_COUNT] === ARGUMENTS_IN_IMAGE;
  if (texts.length - 1 !== (inImage ? 0 : words[At.ARGUMENT_COUNT]))
    throw new TypeError("the environment in the start words is malformed");
  const args = inImage ? sys.startText.split(SEPARATOR).slice(0, -1) : texts.slice(1);
  const cnode = words[At.CNODE];
  return {
    cnode,
    process: words[At.PROCESS],
    thread: words[At.THREAD],
    names: words[At.NAMES],
    log: words[At.LOG],
    console: words[At.CONSOLE],
    debug: words[At.DEBUG],
    untyped: words[At.UNTYPED],
    image: words[At.IMAGE],
    freeSlots: new Slots(cnode, words[At.FIRST_FREE_SLOT], words[At.FREE_SLOT_COUNT]),
    threadIndex: words[At.THREAD_INDEX],
    core: words[At.CORE],
    cores: words[At.CORES],
    assets: {
      first: words[At.FIRST_ASSET_SLOT],
      count: words[At.ASSET_COUNT],
      brought: words[At.BROUGHT_COUNT],
    },
    name,
    args,
    handed,
  };
}

function copyWords(words: Words, from: number, count: number): number[] {
  const copy: number[] = [];
  for (let i = 0; i < count; i++) copy.push(words[from + i]);
  return copy;
}
