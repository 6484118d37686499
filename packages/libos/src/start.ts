/**
 * The start of a guest: everything it was given, with friendly clients for the system's servers.
 *
 *     export default function* main(sys: Sys) {
 *       const os = start(sys);
 *       yield* os.print("hello");
 *       return 0;
 *     }
 *
 * None of its functions use `this`: `const { print, log } = start(sys)` works too.
 */
import { Err, type Main, ObjectType, type Sys } from "@capos/abi";
import { imageOf, type ProgramImage } from "./assets.js";
import { type ConsoleClient, consoleClient } from "./console.js";
import { CSpace } from "./cspace.js";
import { type Environment, environment } from "./environment.js";
import { IpcError } from "./ipc-error.js";
import { cnode, debug, untyped } from "./kernel-calls.js";
import { type LogClient, logClient } from "./log.js";
import { type NamesClient, namesClient } from "./names.js";
import type { OwnMemory } from "./own-memory.js";
import type { Slots } from "./slots.js";
import type { Steps } from "./steps.js";

/** What a guest can do with what it was given. */
export interface Os {
  /** The kernel, as `main` was given it. */
  readonly sys: Sys;
  /** The handles and all else the thread was started with. */
  readonly environment: Environment;
  /** What its process is called: the file's name, or what `spawnProcess` was told. */
  readonly name: string;
  /** Its arguments: those of the command line behind the file, or of `spawnThread` and `spawnProcess`. */
  readonly args: readonly string[];
  /** Numbers that the starter handed over: handles of this process's capabilities, or what the two agreed on. */
  readonly handed: readonly number[];
  /** 0 for the first thread of the process. */
  readonly threadIndex: number;
  /** The core that the thread was placed on, and stays on. */
  readonly core: number;
  /** How many cores were online when it was started; they count from 0. */
  readonly cores: number;
  /** The empty slots of the process's CSpace that are this thread's own. */
  readonly slots: Slots;
  /** Typed capabilities: made, copied, narrowed, sealed, revoked, ... */
  readonly cspace: CSpace;
  /** The index that `spawnThread` gives next, unless told another. */
  nextThreadIndex: number;
  /** The blocks of memory that `spawnThread` and `spawnProcess` take and give back; null before the first. */
  memory: OwnMemory | null;
  /** Records with a level: `yield* os.log.warn("...")`. */
  readonly log: LogClient;
  /** The name service: how programs find each other's endpoints. */
  readonly names: NamesClient;
  /** Lines to and from whoever sits at the machine; `print` and `readLine` are what is mostly used of it. */
  readonly console: ConsoleClient;

  /** Writes a line to the console; without a console, to the kernel's log. Throws `BAD_CAP` without either. */
  print(line: string): Steps<void>;
  /** Blocks until a line was typed; null at the end of the input. */
  readLine(): Steps<string | null>;
  /**
   * Makes an object from this thread's untyped memory and gives its handle, with all rights. Throws
   * `BAD_CAP` if the thread was given no memory, `NO_MEMORY`, or `NO_RESOURCE` (no free slot).
   *
   * @param sizeBits log2 of the size in bytes (untyped) or slots (CNode)
   */
  make(type: ObjectType, sizeBits?: number): Steps<number>;
  /**
   * The image that `import program from "./file.ts" with { type: "image" }` names, or that a handle in `handed` does, with those that
   * it imports: what `spawnProcess` runs, and a gift for others. Throws TypeError for what was not imported so, `NOT_FOUND` if this
   * process was started without.
   */
  image(program: Main | number): Steps<ProgramImage>;
  /** Makes an endpoint: where a server receives. Its handle; `cspace.make(Endpoint)` gives it typed. */
  endpoint(): Steps<number>;
  /** Makes a notification. Its handle; `cspace.make(Notification)` gives it typed. */
  notification(): Steps<number>;
  /** A copy of one's own capability with at most these rights, and with a badge (1 to 2^32 - 1) if one is given. */
  copy(handle: number, rights: number, badge?: number): Steps<number>;
  /** Deletes a capability that came from `make`, `copy`, a reply or a request, and frees its slot. */
  drop(handle: number): Steps<void>;
}

/** Reads the environment and makes the clients. To be called before the first trap. */
export function start(sys: Sys): Os {
  const given = environment(sys);
  const { freeSlots: slots, threadIndex } = given;
  const terminal = consoleClient(sys, given.console, threadIndex);

  function* make(type: ObjectType, sizeBits = 0): Steps<number> {
    const slot = slots.take();
    try {
      yield* untyped.retype(sys, given.untyped, type, sizeBits, 1, given.cnode, slot);
    } catch (error) {
      slots.give(slot);
      throw error;
    }
    return (yield* cnode.inspect(sys, given.cnode, slot)).handle;
  }

  return {
    sys,
    environment: given,
    name: given.name,
    args: given.args,
    handed: given.handed,
    threadIndex,
    core: given.core,
    cores: given.cores,
    slots,
    cspace: new CSpace(sys, given.cnode, slots, given.untyped),
    nextThreadIndex: threadIndex + 1,
    memory: null,
    log: logClient(sys, given.log, threadIndex),
    names: namesClient(sys, given.names, slots),
    console: terminal,
    *print(line) {
      if (given.console !== 0) yield* terminal.writeLine(line);
      else if (given.debug !== 0) yield* debug.print(sys, given.debug, line);
      else throw new IpcError(Err.BAD_CAP, "print", "this process was given no console");
    },
    readLine: terminal.readLine,
    image: (program) => imageOf(sys, given, program),
    make,
    endpoint: () => make(ObjectType.ENDPOINT),
    notification: () => make(ObjectType.NOTIFICATION),
    *copy(handle, rights, badge) {
      const slot = slots.take();
      try {
        if (badge === undefined) return yield* cnode.copy(sys, given.cnode, slot, handle, rights);
        return yield* cnode.mint(sys, given.cnode, slot, handle, rights, badge);
      } catch (error) {
        slots.give(slot);
        throw error;
      }
    },
    *drop(handle) {
      yield* slots.drop(sys, handle);
    },
  };
}
