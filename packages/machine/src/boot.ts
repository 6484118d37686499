/**
 * A machine for applications: `boot(options)` gives one that runs guests and benchmarks and halts.
 *
 *     const machine = await boot({ cores: 2 });
 *     const { status } = await machine.run("hello.ts", { args: ["world"] });
 *     await machine.halt();
 */

import { availableParallelism } from "node:os";
import { basename, relative } from "node:path";
import process from "node:process";
import { DEFAULT_MEMORY_MIB, type Image, LifeState, lifeName, MAX_NAME_BYTES } from "@capos/abi";
import { MachinePlanError, nowNs, type PhysicalMemory, PortNumber, planMachine } from "@capos/hal";
import { Machine, type MachineEnd, type MachineHooks } from "@capos/hal/host";
import { buildImage, GuestBuildError, locate } from "@capos/image";
import { dump, INSPECT_PROGRAM, initStartedNs, type MachineState, whyNoTakeover } from "@capos/inspect";
import type { CoreReport } from "@capos/kernel";
import { USUAL_GROUPS } from "@capos/kernel/trace-events";
import { type ControlEvent, type ExitEvent, loadServerImages } from "@capos/servers";
import type { TraceMode } from "@capos/trace";
import type { DestinationStream } from "pino";
import { defaultCores, type LogLevelName } from "./defaults.js";
import { openDoor } from "./door/door.js";
import { ExitStatus, MachineError, UsageError } from "./errors.js";
import { fromHost } from "./from-host.js";
import { LoadedImages, load } from "./images.js";
import { LineSplitter } from "./lines.js";
import { logSink, standardDestination } from "./log-sink.js";
import { CHIPSET_PROGRAM, CORE_PROGRAM, TRACED_CORE_PROGRAM } from "./programs.js";

/**
 * Keeps what a machine's trace rings hold; answers a line that says where, or why not.
 * `ended` says that its cores have ended.
 */
export type LastMoments = (memory: PhysicalMemory, ended: boolean) => string;

/** How to build a machine. */
export interface BootOptions {
  /** 1 to 64; as many as there are hardware threads unless told, at least 2. */
  readonly cores?: number;
  /** How many of them have power from the start; the others can be plugged in later. All unless told. */
  readonly poweredCores?: number;
  /** 16 to 4096; 256 unless told. */
  readonly memoryMiB?: number;
  /** A number that guests which randomise start from, 0 to 2^31 - 1; 1 unless told. */
  readonly seed?: number;
  /** Milliseconds a core may go without a safe point, 100 to 600,000; 2000 unless told. */
  readonly watchdogMs?: number;
  /** Events that each core's history holds, a power of two; 0, no histories, unless told. */
  readonly historyEvents?: number;
  /** KiB of each core's trace ring, a power of two from 4 to 65536; 0, no traces, unless told. */
  readonly traceKiB?: number;
  /** Groups of events that are traced, a bit each (see `TraceGroup`); all but the words of messages unless told. */
  readonly traceGroups?: number;
  /** What a full ring does: the oldest is overwritten unless told. */
  readonly traceMode?: TraceMode;
  /** Keeps the trace of the last moments after a panic; nobody does unless told. */
  readonly lastMoments?: LastMoments;
  /** The least urgent log records that are shown; "info" unless told. */
  readonly logLevel?: LogLevelName;
  /** Where log records go, in pino's format; standard error unless told. */
  readonly logDestination?: DestinationStream;
  /** Whether other processes of the same user can inspect it, with `capos-smp inspect`. Not unless told. */
  readonly inspectable?: boolean;
  /** Takes what the kernel writes to its own serial line: boot phases, machine checks, a panic's dump. Nothing unless told. */
  readonly onKernel?: (text: string) => void;
  /** Takes all of that at once if the kernel panics and nothing takes it as it is written. Standard error unless told. */
  readonly onPanic?: (text: string) => void;
  /** Takes what guests write to the console, a line at a time without its end. Standard output unless told. */
  readonly onConsole?: (line: string) => void;
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
  readonly args?: readonly string[];
  /** The core it starts on; one that init does not run on unless told. */
  readonly core?: number;
  /** 0 to 149, below the services; 100 unless told. */
  readonly priority?: number;
  /** log2 of the bytes of untyped memory that it is given, 6 to 30; 22 (4 MiB) unless told. */
  readonly memoryBits?: number;
  /**
   * How many threads it may have at one time, with those of processes it starts; an eighth of the machine's
   * (two for each MiB of memory, 32 at least) unless told.
   */
  readonly threads?: number;
  /** Whether it is given the Debug capability: the clock, counters, and the machine's switch. */
  readonly debug?: boolean;
  /** Images besides its own that it may run: it finds capabilities to them in `handed`, in this order. */
  readonly images?: readonly Image[];
}

/** How a guest ended. */
export interface RunResult {
  /** Its exit status; 1 if it faulted or was killed. */
  readonly status: number;
  readonly state: "exited" | "faulted" | "killed";
  /** What went wrong, with file and line where they are known; empty if nothing did. */
  readonly fault: string;
}

const DEFAULT_WATCHDOG_MS = 2000;
const DEFAULT_MEMORY_BITS = 22;
const MIN_DEFAULT_THREADS = 32;
const MAX_SEED = 0x7fff_ffff;

/** A running machine. */
export class CaposMachine {
  readonly cores: number;
  readonly memoryMiB: number;
  /** From power-on until init ran, in nanoseconds. */
  readonly powerToInitNs: number;
  readonly #machine: Machine;
  readonly #ended: Promise<MachineEnd>;
  readonly #control: Control;
  readonly #images: LoadedImages;
  #nextId = 1;

  /** @internal Use `boot`. */
  constructor(machine: Machine, ended: Promise<MachineEnd>, control: Control, poweredNs: number) {
    this.#machine = machine;
    this.#ended = ended;
    this.#control = control;
    this.#images = new LoadedImages(machine);
    this.cores = machine.plan.cores;
    this.memoryMiB = machine.plan.memoryMiB;
    this.powerToInitNs = initStartedNs(machine.memory) - poweredNs;
  }

  /**
   * Runs a guest's TypeScript or JavaScript file to its end.
   * @throws UsageError for a file that is no guest; MachineError if the machine stops meanwhile.
   */
  async run(file: string, options: RunOptions = {}): Promise<RunResult> {
    return this.runImage(await compileGuest(file), options);
  }

  /** Runs an image to its end: see `run`. */
  async runImage(image: Image, options: RunOptions = {}): Promise<RunResult> {
    if (
      options.core !== undefined &&
      !(Number.isInteger(options.core) && options.core >= 0 && options.core < this.cores)
    ) {
      throw new UsageError(`core: ${options.core} is out of range, 0 to ${this.cores - 1} are possible`);
    }
    const used = [image, ...(options.images ?? [])];
    const [own, ...others] = await this.#images.use(used);
    try {
      return describeExit(await this.#request(own!, others, image, options), image);
    } finally {
      this.#images.release(used);
    }
  }

  #request(own: number, others: readonly number[], image: Image, options: RunOptions): Promise<ExitEvent> {
    const id = this.#nextId++;
    return this.#control.request(id, {
      op: "run",
      id,
      image: own,
      images: others,
      name: shortName(basename(image.name)),
      args: options.args ?? [],
      core: options.core ?? null,
      priority: options.priority ?? 100,
      memoryBits: options.memoryBits ?? DEFAULT_MEMORY_BITS,
      threads: options.threads ?? Math.max(MIN_DEFAULT_THREADS, this.memoryMiB * 2),
      debug: options.debug ?? false,
    });
  }

  /** The machine's physical memory, for those who judge it. */
  get memory(): PhysicalMemory {
    return this.#machine.memory;
  }

  /** Sends bytes to the console's input. */
  feed(bytes: Uint8Array): void {
    this.#machine.feed(PortNumber.CONSOLE, bytes);
  }

  /** Ends the console's input. */
  closeInput(): void {
    this.#machine.close(PortNumber.CONSOLE);
  }

  /**
   * The machine as it stands: cores, processes, threads, capabilities and their derivation, queues, memory.
   * Read from outside while it runs: the derivation tree is of one instant, the rest as it was met.
   */
  async inspect(): Promise<MachineState> {
    return inspectMachine(this.#machine);
  }

  /** Gives power to a core that has none. Resolves when the kernel has been told; the core comes online by itself. */
  async plug(core: number): Promise<void> {
    const number = inRange("core", core, 0, this.cores - 1);
    await fromHost(() => this.#machine.plug(number));
  }

  /** Asks a core to leave the machine. It does when no thread lives on it; core 0 never does. */
  async unplug(core: number): Promise<void> {
    const number = inRange("core", core, 0, this.cores - 1);
    await fromHost(() => this.#machine.manage((management) => management.unplug(number)));
  }

  /** Ends a service as a fault would; init starts it again. For those who test what depends on it. */
  killService(service: string): void {
    this.#control.send({ op: "kill-service", service });
  }

  /** Halts the machine. Resolves when every worker has ended. */
  async halt(status = 0): Promise<MachineReport> {
    this.#machine.halt(status);
    return this.ended();
  }

  /** Resolves when the machine has ended, for whatever reason. */
  async ended(): Promise<MachineReport> {
    return reportOf(await this.#ended);
  }
}

function reportOf({ status, panicked, reports }: MachineEnd): MachineReport {
  return { status, panicked, cores: reports as readonly CoreReport[] };
}

/** How a machine ended. */
export interface MachineReport {
  /** 0 after a halt, 70 after a panic, or what the halt said. */
  readonly status: number;
  readonly panicked: boolean;
  /** What each core's worker noted of its own garbage collections. */
  readonly cores: readonly CoreReport[];
}

/** Bundles and instruments a guest's file. Throws UsageError with one line that names file and place. */
export async function compileGuest(file: string): Promise<Image> {
  try {
    return await buildImage(file);
  } catch (error) {
    if (error instanceof GuestBuildError) throw new UsageError(error.message);
    throw error;
  }
}

async function inspectMachine(machine: Machine): Promise<MachineState> {
  return (await fromHost(() => machine.manage((management) => management.state()))) as MachineState;
}

/** Lets other processes inspect a machine until it ends. One that they cannot ask works as well. */
async function letInspect(
  machine: Machine,
  ended: Promise<unknown>,
  log: (line: string) => void,
): Promise<void> {
  try {
    const door = await openDoor(() => inspectMachine(machine));
    ended.then(door.close, door.close);
  } catch (error) {
    const text = `capos-smp inspect cannot ask this machine: ${error instanceof Error ? error.message : error}`;
    log(JSON.stringify({ level: 20, process: "host", text }));
  }
}

function describeExit(exit: ExitEvent, image: Image): RunResult {
  if (exit.state === LifeState.EXITED) return { status: exit.status, state: "exited", fault: "" };
  const state = exit.state === LifeState.KILLED ? "killed" : "faulted";
  const place = exit.line > 0 ? locate(image, exit.line, exit.column) : null;
  const where = place === null ? image.name : `${shortPath(place.file)}:${place.line}:${place.column}`;
  return { status: ExitStatus.FAILED, state, fault: `${where}: ${exit.fault || lifeName(exit.state)}` };
}

/** As much of a name as the kernel keeps, in whole characters. */
function shortName(name: string): string {
  const bytes = new TextEncoder().encode(name).subarray(0, MAX_NAME_BYTES);
  return new TextDecoder().decode(bytes, { stream: true });
}

/** A path as its user would write it: relative, where it is below the current folder. */
function shortPath(file: string): string {
  const path = relative(process.cwd(), file);
  return path.startsWith("..") ? file : path;
}

/** The host's end of init's control port: one JSON object a line. */
class Control {
  readonly #waiting = new Map<number, { resolve(exit: ExitEvent): void; reject(error: Error): void }>();
  #failure: Error | null = null;
  #ready: (() => void) | null = null;
  readonly ready = new Promise<void>((resolve) => {
    this.#ready = resolve;
  });

  constructor(private readonly write: (bytes: Uint8Array) => void) {}

  send(request: object): void {
    this.write(new TextEncoder().encode(`${JSON.stringify(request)}\n`));
  }

  /** Sends a request and waits for the exit event, or error, that has its id. */
  request(id: number, request: object): Promise<ExitEvent> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== null) {
        reject(this.#failure);
        return;
      }
      this.#waiting.set(id, { resolve, reject });
      this.send(request);
    });
  }

  take(line: string): void {
    const event = JSON.parse(line) as ControlEvent;
    if (event.event === "ready") this.#ready!();
    else if (event.event === "exit") this.#settle(event.id)?.resolve(event);
    else if (event.event === "error" && event.id !== null)
      this.#settle(event.id)?.reject(new UsageError(event.message));
  }

  #settle(id: number) {
    const waiter = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiter;
  }

  /** The machine has ended: nothing will be answered any more. */
  fail(error: Error): void {
    this.#failure = error;
    for (const waiter of this.#waiting.values()) waiter.reject(error);
    this.#waiting.clear();
  }
}

function inRange(name: string, value: number, low: number, high: number): number {
  if (!Number.isInteger(value) || value < low || value > high) {
    throw new UsageError(`${name}: ${value} is out of range, ${low} to ${high} are possible`);
  }
  return value;
}

/**
 * Boots a machine and waits until its services are up.
 * @throws UsageError for an option out of range or a memory too small; MachineError if it does not boot, also for
 * something that the host does not give it: memory, threads, open files.
 */
export async function boot(options: BootOptions = {}): Promise<CaposMachine> {
  const plan = planOf(options);
  const onConsole = options.onConsole ?? ((line) => process.stdout.write(`${line}\n`));
  const onPanic = options.onPanic ?? ((text) => process.stderr.write(text));
  const log = logSink(options.logLevel ?? "info", options.logDestination ?? standardDestination());
  const kernelText: string[] = [];
  const decoder = new TextDecoder();
  const control = new Control((bytes) => machine.feed(PortNumber.CONTROL, bytes));
  const consoleLines = new LineSplitter(onConsole);
  const logLines = new LineSplitter(log);
  const controlLines = new LineSplitter((line) => control.take(line));
  const hooks: MachineHooks = {
    coreProgram: plan.traceKiB === 0 ? CORE_PROGRAM : TRACED_CORE_PROGRAM,
    chipsetProgram: CHIPSET_PROGRAM,
    inspectProgram: INSPECT_PROGRAM,
    powered: inRange("powered cores", options.poweredCores ?? plan.cores, 1, plan.cores),
    onOutput(port, bytes) {
      if (port === PortNumber.CONSOLE) consoleLines.push(bytes);
      else if (port === PortNumber.LOG) logLines.push(bytes);
      else if (port === PortNumber.CONTROL) controlLines.push(bytes);
      else {
        const text = decoder.decode(bytes, { stream: true });
        kernelText.push(text);
        options.onKernel?.(text);
      }
    },
    onMachineCheck(core, death) {
      options.onKernel?.(
        `machine check: core ${core} ${DEATHS[death] ?? "died"}; a new worker takes its place\n`,
      );
    },
    whyNoTakeover,
    describe: dump,
  };
  const machine = await fromHost(() => new Machine(plan, hooks));
  for (const image of loadServerImages()) load(machine, image);
  const poweredNs = nowNs();
  const ended = machine.run();
  options.onMachine?.({
    memory: machine.memory,
    cores: plan.cores,
    ready: control.ready,
    ended: ended.then(reportOf),
  });
  const failed = ended.then((end): never => {
    const reason = end.panicked ? "the kernel panicked" : (end.refusal?.message ?? "the machine was halted");
    const error = new MachineError(reason, end.panicked ? ExitStatus.PANIC : end.status);
    control.fail(error);
    // A panic is never silent: whoever does not listen to the kernel's line gets it here.
    if (end.panicked && options.onKernel === undefined) onPanic(kernelText.join(""));
    if (end.panicked && options.lastMoments !== undefined)
      (options.onKernel ?? onPanic)(`${options.lastMoments(machine.memory, true)}\n`);
    throw error;
  });
  failed.catch(() => {});
  const inspectable = options.inspectable === true ? letInspect(machine, ended, log) : null;
  await Promise.race([control.ready, failed]);
  await inspectable;
  return new CaposMachine(machine, ended, control, poweredNs);
}

const DEATHS: Readonly<Record<number, string>> = {
  1: "reached no safe point in time",
  2: "ran out of JavaScript heap",
};

function planOf(options: BootOptions) {
  try {
    return planMachine({
      cores: options.cores ?? defaultCores(),
      memoryMiB: options.memoryMiB ?? DEFAULT_MEMORY_MIB,
      hardwareThreads: availableParallelism(),
      seed: inRange("seed", options.seed ?? 1, 0, MAX_SEED),
      watchdogMs: inRange("watchdog", options.watchdogMs ?? DEFAULT_WATCHDOG_MS, 100, 600_000),
      historyEvents: options.historyEvents ?? 0,
      traceKiB: options.traceKiB ?? 0,
      traceGroups: options.traceGroups ?? USUAL_GROUPS,
      ...(options.traceMode !== undefined && { traceMode: options.traceMode }),
    });
  } catch (error) {
    if (error instanceof MachinePlanError) throw new UsageError(error.message);
    throw error;
  }
}
