/** A running machine, for applications. */
import { basename } from "node:path";
import type { Image } from "@capos/abi";
import type { PhysicalMemory } from "@capos/hal";
import type { MachineState } from "@capos/inspect";
import type { Backend } from "./backend.js";
import { compileGuest } from "./compile-guest.js";
import { MachineError, UsageError } from "./errors.js";
import type { MachineReport, RunOptions, RunResult } from "./options.js";
import { inRange } from "./ranges.js";

const MAX_STATUS = 255;

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

  /** @internal Use `boot`. */
  constructor(backend: Backend) {
    this.#backend = backend;
    this.cores = backend.cores;
    this.memoryMiB = backend.memoryMiB;
    this.powerToInitNs = backend.powerToInitNs;
    this.pid = backend.pid;
  }

  /**
   * Runs a guest's TypeScript or JavaScript file to its end.
   * @throws UsageError for a file that is no guest, or options that cannot be; MachineError if the machine stops meanwhile.
   */
  async run(file: string, options: RunOptions = {}): Promise<RunResult> {
    await this.#backend.lifetime.open();
    return this.runImage(await compileGuest(file, options), options);
  }

  /** Runs an image to its end: see `run`. */
  async runImage(image: Image, options: RunOptions = {}): Promise<RunResult> {
    await this.#backend.lifetime.open();
    if (options.core !== undefined) inRange("core", options.core, 0, this.cores - 1);
    const args: readonly unknown[] = options.args ?? [];
    if (args.some((text) => typeof text !== "string")) throw new UsageError("args: all must be texts");
    if ([basename(image.name), ...args].some((text) => (text as string).includes("\0")))
      throw new UsageError("args: a name or argument contains a NUL");
    return this.#backend.runImage(image, options);
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
   * Ends a service as a fault would; init starts it again. For those who test what depends on it.
   * @throws UsageError if none of that name runs
   */
  async killService(service: string): Promise<void> {
    await this.#backend.lifetime.open();
    await this.#backend.killService(service);
  }

  /** Halts the machine with a status, 0 to 255. Resolves when every worker has ended, however that came about. */
  async halt(status = 0): Promise<MachineReport> {
    const { lifetime, ended } = this.#backend;
    this.#backend.halt(inRange("status", status, 0, MAX_STATUS));
    lifetime.close(new MachineError("the machine was halted", status));
    return ended;
  }

  /** Resolves when the machine has ended, for whatever reason. */
  async ended(): Promise<MachineReport> {
    return this.#backend.ended;
  }
}
