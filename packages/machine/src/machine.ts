/** A running machine, for applications. */
import { basename } from "node:path";
import type { Image } from "@capos/abi";
import type { PhysicalMemory } from "@capos/hal";
import type { MachineState, Standstill } from "@capos/inspect";
import type { Methods, Protocol } from "@capos/libos";
import type { Backend } from "./backend.js";
import { compileGuest } from "./compile-guest.js";
import { ExitStatus, MachineError, UsageError } from "./errors.js";
import { splitSpawnOptions } from "./known-options.js";
import type { MachineReport, RunOptions, RunResult, SpawnOptions } from "./options.js";
import { OwnConsole } from "./peer/console-streams.js";
import { Peer } from "./peer/peer.js";
import { Reference } from "./peer/reference.js";
import type { Serving } from "./peer/serving.js";
import type { ClientOptions, PeerClient, PeerHandlers, ServeOptions } from "./peer/types.js";
import { Program } from "./program.js";
import { inRange } from "./ranges.js";
import { checkedRunOf, checkOptions, type RunRequest } from "./run-request.js";
import type { LogTaps } from "./shell/log-taps.js";
import type { Shell, ShellEvents, ShellOptions } from "./shell/types.js";
import { runSystem, type SystemOptions } from "./system.js";

const MAX_STATUS = 255;
const BRIDGE = "bridge";

/**
 * After its end every operation but `halt` and `ended` fails at once with a MachineError that says how it ended. What
 * has begun, or is asked from when it is halted, fails with it when it has ended.
 */
export class CaposMachine {
  readonly cores: number;
  readonly memoryMiB: number;
  /** From power-on until init ran, in nanoseconds. */
  readonly powerToInitNs: number;
  /** The number of the process that it runs in. */
  readonly pid: number;
  readonly #backend: Backend;
  readonly #peer: Peer;
  /** Programs that run. */
  readonly #programs = new Set<number>();
  readonly #taps: LogTaps;
  /** How many shells are open. */
  #shells = 0;
  #nextPid = 1;

  /** @internal Use `boot`. */
  constructor(backend: Backend, taps: LogTaps) {
    this.#backend = backend;
    this.#taps = taps;
    this.#peer = new Peer(backend, () => this.#nextPid++);
    this.cores = backend.cores;
    this.memoryMiB = backend.memoryMiB;
    this.powerToInitNs = backend.powerToInitNs;
    this.pid = backend.pid;
  }

  /**
   * Runs a guest's TypeScript or JavaScript file to its end.
   * @throws UsageError for a file that is no guest, or options that cannot be; MachineError if the machine stops
   * meanwhile; the reason of `signal` when it has aborted, once nothing of the program runs.
   */
  async run(file: string, options: RunOptions = {}): Promise<RunResult> {
    return this.#run(this.#nextPid++, file, options, new AbortController().signal);
  }

  /** Runs an image to its end: see `run`. */
  async runImage(image: Image, options: RunOptions = {}): Promise<RunResult> {
    return this.#run(this.#nextPid++, image, options, new AbortController().signal);
  }

  /** Starts a program, a guest's file or an image, and is back at once: what `run` throws, its `status` is rejected with. */
  spawn(program: string | Image, options: SpawnOptions = {}): Program {
    const pid = this.#nextPid++;
    const ending = new AbortController();
    const { ownConsole, run } = splitSpawnOptions(options);
    const console = ownConsole ? new OwnConsole(this.#peer) : null;
    const status = this.#run(pid, program, run, ending.signal, console).finally(() => console?.end());
    return new Program(pid, status, () => ending.abort(), console?.streams ?? null);
  }

  /**
   * Runs a system of programs to its end: a guest, the root, starts them in their order, each with what its plan gives it and nothing
   * else, and starts them again as the plan says. What happens it prints on the console, a JSON object a line, in its name.
   * @throws UsageError for a plan that cannot be; MachineError
   */
  async runSystem(system: SystemOptions): Promise<RunResult> {
    await this.#backend.lifetime.open();
    return runSystem(this.#backend, this.#peer, () => this.#nextPid++, system);
  }

  /** @param ending ends it as one that was killed */
  async #run(
    pid: number,
    program: string | Image,
    options: RunOptions,
    ending: AbortSignal,
    console: OwnConsole | null = null,
  ): Promise<RunResult> {
    await this.#backend.lifetime.open();
    checkOptions(options);
    const { signal } = options;
    signal?.throwIfAborted();
    // The program's own time: what it takes to build it is not its.
    const image = typeof program === "string" ? await compile(program, options, ending) : program;
    if (image === null)
      return {
        ...{ status: ExitStatus.FAILED, state: "killed", stack: [] },
        fault: `${basename(program as string)}: killed`,
      };
    const checked = checkedRunOf(image, options, this.cores);
    await this.#backend.lifetime.open();
    signal?.throwIfAborted();
    const deposits: number[] = [];
    const deposit = async (reference: Reference): Promise<number> => {
      const number = await this.#peer.deposit(reference);
      deposits.push(number);
      return number;
    };
    try {
      const handed: (Image | { readonly deposit: number })[] = [];
      for (const one of checked.handed)
        handed.push(one instanceof Reference ? { deposit: await deposit(one) } : one);
      const own = console === null ? null : await deposit(await console.serve());
      signal?.throwIfAborted();
      return await this.#runRequest(pid, image, { ...checked, handed, console: own }, options, ending);
    } finally {
      for (const number of deposits) this.#peer.withdraw(number);
    }
  }

  async #runRequest(
    pid: number,
    image: Image,
    request: RunRequest,
    { signal, timeoutMs }: RunOptions,
    ending: AbortSignal,
  ): Promise<RunResult> {
    const kill = (): void => this.#backend.kill(pid);
    let timedOut = false;
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true;
            kill();
          }, timeoutMs);
    signal?.addEventListener("abort", kill);
    ending.addEventListener("abort", kill);
    this.#programs.add(pid);
    try {
      const running = this.#backend.run(pid, image, request);
      if (ending.aborted) kill();
      const result = await running;
      signal?.throwIfAborted();
      if (!timedOut || result.state !== "killed") return result;
      return {
        ...result,
        status: ExitStatus.TIMEOUT,
        fault: `${image.name}: ran longer than ${timeoutMs} ms`,
      };
    } finally {
      this.#programs.delete(pid);
      clearTimeout(timer);
      signal?.removeEventListener("abort", kill);
      ending.removeEventListener("abort", kill);
    }
  }

  /**
   * What a guest serves under a name, as the application's own: each method of the protocol is a call that answers a promise.
   * It is looked up when it is first called, and waited for if nobody has registered it yet. Its calls reject with IpcError
   * (what a guest would get: `PEER_DIED`, `NOT_FOUND`, `TIMEOUT`, what the server threw), RangeError for a value that its field
   * cannot hold, the reason of a signal that aborted, and MachineError.
   *
   * @param of the name, or a reference that came in a message
   * @throws UsageError for an option that cannot be
   */
  client<M extends Methods>(
    protocol: Protocol<M>,
    of: string | Reference,
    options: ClientOptions = {},
  ): PeerClient<M> {
    return this.#peer.client(protocol, of, options);
  }

  /**
   * Serves a protocol to guests, under a name that they look up as any other. What a handler throws is the answer if it is
   * an IpcError; else the caller gets `PEER_DIED`, and the error reaches the process's `uncaughtException`.
   *
   * @throws UsageError for an option or handlers that cannot be; IpcError: `BUSY` if the name is taken, `NO_RESOURCE`; MachineError
   */
  async serve<M extends Methods>(
    protocol: Protocol<M>,
    handlers: PeerHandlers<M>,
    options: ServeOptions,
  ): Promise<Serving> {
    return this.#peer.serve(protocol, handlers, options);
  }

  /**
   * Lets the application end while this machine runs, which ends the machine: it keeps the process no longer, nor does what
   * is asked of it.
   * @throws UsageError for a machine in the application's process: its threads are that process's
   */
  unref(): this {
    this.#backend.keepAlive(false);
    return this;
  }

  /** Undoes `unref`. */
  ref(): this {
    this.#backend.keepAlive(true);
    return this;
  }

  /** The machine's physical memory, for those who judge it. @throws UsageError if that is another process's */
  get memory(): PhysicalMemory {
    const { memory } = this.#backend;
    if (memory === null) throw new UsageError("memory: a machine in a process of its own keeps it there");
    return memory;
  }

  /** Sends bytes to the console's input, whether or not a guest asks for them. @throws MachineError */
  feed(bytes: Uint8Array): void {
    this.#backend.lifetime.check();
    this.#backend.feed(bytes);
  }

  /** Ends the console's input. @throws MachineError */
  closeInput(): void {
    this.#backend.lifetime.check();
    this.#backend.closeInput();
  }

  /**
   * The machine as it stands: cores, processes, threads, capabilities and their derivation, queues, memory.
   * Read from outside while it runs: the derivation tree is of one instant, the rest as it was met.
   */
  async inspect(): Promise<MachineState> {
    await this.#backend.lifetime.open();
    return this.#backend.inspect();
  }

  /**
   * A shell: a guest that starts and ends programs and looks up names, for whoever sits at a terminal.
   * @internal
   * @throws UsageError if there is no room for it; MachineError
   */
  async openShell(options: ShellOptions, events: ShellEvents): Promise<Shell> {
    await this.#backend.lifetime.open();
    const { ShellSession } = await import("./shell/session.js");
    const shell = await ShellSession.open(
      {
        ...{ backend: this.#backend, peer: this.#peer, taps: this.#taps, programs: this.#programs },
        takeRun: () => this.#nextPid++,
      },
      options,
      events,
    );
    this.#shells++;
    void shell.over.then(() => this.#shells--);
    return shell;
  }

  /**
   * Whether the programs have come to a standstill: each of their threads waits, and nobody is left who could wake one. Null if
   * there are none, or one may go on, or somebody sits at a shell, or the application has clients that it has not closed or serves
   * something: it could then wake one at any time. It is so if a second answer, some time later, is the same.
   */
  async standstill(): Promise<Standstill | null> {
    await this.#backend.lifetime.open();
    if (this.#shells > 0 || this.#peer.isEngaged) return null;
    return this.#backend.standstill(this.#peer.hasBridge);
  }

  /** Gives power to a core that has none. Resolves when the kernel has been told; the core comes online by itself. */
  async plug(core: number): Promise<void> {
    await this.#backend.lifetime.open();
    await this.#backend.plug(inRange("core", core, 0, this.cores - 1));
  }

  /** Asks a core to leave the machine. It does when no thread lives on it; core 0 never does. */
  async unplug(core: number): Promise<void> {
    await this.#backend.lifetime.open();
    await this.#backend.unplug(inRange("core", core, 0, this.cores - 1));
  }

  /**
   * Ends a service as a fault would; it is started again. For those who test what depends on it. The bridge, by which
   * the application is a peer of guests, is one of that name.
   * @throws UsageError if none of that name runs
   */
  async killService(service: string): Promise<void> {
    await this.#backend.lifetime.open();
    if (service === BRIDGE) await this.#peer.kill();
    else await this.#backend.killService(service);
  }

  /** Halts the machine with a status, 0 to 255. Resolves when every worker has ended, however that came about. */
  async halt(status = 0): Promise<MachineReport> {
    const { lifetime, ended } = this.#backend;
    this.#backend.halt(inRange("status", status, 0, MAX_STATUS));
    lifetime.close(new MachineError("the machine was halted", status));
    return ended;
  }

  /** Halts it: `await using machine = await boot()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.halt();
  }

  /** Resolves when the machine has ended, for whatever reason. */
  async ended(): Promise<MachineReport> {
    return this.#backend.ended;
  }
}

/** Compiles a program for a run; null if the run is ended meanwhile. */
async function compile(
  file: string,
  { root, signal }: RunOptions,
  ending: AbortSignal,
): Promise<Image | null> {
  try {
    return await compileGuest(file, {
      ...(root !== undefined && { root }),
      signal: signal === undefined ? ending : AbortSignal.any([signal, ending]),
    });
  } catch (error) {
    if (ending.aborted && error === ending.reason) return null;
    throw error;
  }
}
