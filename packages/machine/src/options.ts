/** What an application says of a machine and of a run, and what it is told. */
import type { Image } from "@capos/abi";
import type { PhysicalMemory } from "@capos/hal";
import type { CoreReport } from "@capos/kernel";
import type { TraceMode } from "@capos/trace";
import type { DestinationStream } from "pino";
import type { LogLevelName } from "./defaults.js";
import type { Reference } from "./peer/reference.js";

/**
 * Keeps what a machine's trace rings hold; answers a line that says where, or why not.
 * `ended` says that its cores have ended.
 */
export type LastMoments = (memory: PhysicalMemory, ended: boolean) => string;

/**
 * How to build a machine. A callback that throws, or whose promise is rejected, harms no machine: the error reaches the
 * process's `uncaughtException`.
 */
export interface BootOptions {
  /** 1 to 64; as many as there are hardware threads unless told, at least 2. */
  readonly cores?: number;
  /** How many of them have power from the start; the others can be plugged in later. All unless told. */
  readonly poweredCores?: number;
  /** 16 to 4096; 256 unless told. */
  readonly memoryMiB?: number;
  /** A number that guests which randomise start from, 0 to 2^31 - 1; 1 unless told. */
  readonly seed?: number;
  /** Milliseconds of CPU time a core may use between safe points, 100 to 600,000; 2000 unless told. */
  readonly watchdogMs?: number;
  /** Events that each core's history holds, a power of two; 0, no histories, unless told. */
  readonly historyEvents?: number;
  /** KiB of each core's trace ring, a power of two from 4 to 65536; 0, no traces, unless told. */
  readonly traceKiB?: number;
  /** Groups of events that are traced, a bit each (see `TraceGroup`); all but the words of messages unless told. */
  readonly traceGroups?: number;
  /** What a full ring does: the oldest is overwritten unless told. */
  readonly traceMode?: TraceMode;
  /**
   * The module whose default export keeps the trace of the last moments after a panic: a `LastMoments`. It runs where
   * the machine does. Nobody does unless told.
   */
  readonly lastMoments?: URL;
  /** The least urgent log records that are shown; "info" unless told. */
  readonly logLevel?: LogLevelName;
  /** Where log records go, in pino's format; standard error unless told. */
  readonly logDestination?: DestinationStream;
  /** Whether other processes of the same user can inspect it, with `capos-smp inspect`. Not unless told. */
  readonly inspectable?: boolean;
  /** With `inspectable`: whether they can have a shell on it too, with `capos-smp shell`: start and end programs, call. Not unless told. */
  readonly attachable?: boolean;
  /** With `inspectable`: the command line that tells its process from others; unless told what the process was started with. */
  readonly command?: readonly string[];
  /**
   * Where it runs: in this process ("this", unless told), or in one of its own ("own"), so that the application survives
   * whatever ends that process. Then `onMachine` cannot be, and its `memory` is not to be had.
   */
  readonly process?: "this" | "own";
  /** Takes what the kernel writes to its own serial line: boot phases, machine checks, a panic's dump. Nothing unless told. */
  readonly onKernel?: (text: string) => void;
  /** Takes all of that at once if the kernel panics and nothing takes it as it is written. Standard error unless told. */
  readonly onPanic?: (text: string) => void;
  /**
   * Takes what guests write to the console, a line at a time without its end. A promise that it answers holds the
   * console: guests that write more than fits the device wait until it is settled. Standard output unless told; of what goes
   * to a terminal that way, all but text and colours is dropped.
   */
  readonly onConsole?: (line: string) => unknown;
  /**
   * Gives the console's input: called when a guest asks and none is left of what was fed, and not again before it has
   * answered. Bytes, or null when there will be no more. Nobody gives any unless told, but for `feed`.
   */
  readonly onInput?: () => Uint8Array | null | Promise<Uint8Array | null>;
  /** Takes the machine when it has power, before a core of it runs: for those who watch it from outside. */
  readonly onMachine?: (machine: WatchedMachine) => void;
}

/** A machine as somebody sees it who only looks: from power-on to its end, and its memory after that. */
export interface WatchedMachine {
  readonly memory: PhysicalMemory;
  readonly cores: number;
  /** Resolves when its services are up; never if it ends before that. */
  readonly ready: Promise<void>;
  /** Resolves when it has ended, for whatever reason. */
  readonly ended: Promise<MachineReport>;
}

/** How to run a guest. */
export interface RunOptions {
  /** As many and as long as the store of images has room for, an eighth of the machine's memory; none with a NUL in it. */
  readonly args?: readonly string[];
  /** Ends the program when it aborts: what waits for it fails with the signal's reason, once nothing of it runs any more. */
  readonly signal?: AbortSignal;
  /** Milliseconds after which it is ended, with status 124: above 0, at most 2^31 - 1. No limit unless told. */
  readonly timeoutMs?: number;
  /** The cores it may start on: the first of them that is online. One that init does not run on unless told. */
  readonly cores?: readonly number[];
  /** 0 to 149, below the services; 100 unless told. */
  readonly priority?: number;
  /** Bytes of untyped memory that it is given: a power of two from 64 to 2^30, or 0 for none; 4 MiB unless told. */
  readonly untyped?: number;
  /**
   * How many threads it may have at one time, with those of processes it starts; an eighth of the machine's
   * (two for each MiB of memory, 32 at least) unless told.
   */
  readonly threads?: number;
  /** Whether it is given the Debug capability: the clock, counters, and the machine's switch. */
  readonly debug?: boolean;
  /** For a file: the folder of the guest's files, so that it can import none beside or above; its file's own unless told. */
  readonly root?: string;
  /**
   * What it finds in `handed`, in this order: images that it may run besides its own, and what references stand for. A reference
   * has to be of this machine; what the program is given of it is a copy, which ends with what it was copied from.
   */
  readonly handed?: readonly (Image | Reference)[];
  /** What it is called, 1 to 32 bytes; as its file unless told, as far as that fits. */
  readonly name?: string;
  /** Whether its lines on the console begin with its name, as in `name | text`: where several programs share it. Not unless told. */
  readonly labelled?: boolean;
}

/** How to start a program that one goes on to deal with. */
export interface SpawnOptions extends RunOptions {
  /** "own": what it prints and reads are streams of the program's (see `Program.console`); unless told the machine's console. */
  readonly console?: "own";
}

/** How a guest ended. */
export interface RunResult {
  /** Its exit status; 1 if it faulted or was killed, 124 if it ran longer than it was to. */
  readonly status: number;
  readonly state: "exited" | "faulted" | "killed";
  /** What went wrong, with file and line where they are known; empty if nothing did. */
  readonly fault: string;
  /**
   * Where the guest's own code was, the innermost function first: `at name (file:line:column)`. Empty if nothing went
   * wrong, or it is not known where.
   */
  readonly stack: readonly string[];
}

/** How a machine ended. */
export interface MachineReport {
  /** 0 after a halt, 70 after a panic, or what the halt said. */
  readonly status: number;
  readonly panicked: boolean;
  /** What each core's worker noted of its own garbage collections. */
  readonly cores: readonly CoreReport[];
}
