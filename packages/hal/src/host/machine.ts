/**
 * A machine, as its host sees it: memory, a pool of workers for the cores, a chipset, a management
 * worker, and the far ends of the serial devices.
 */

import process from "node:process";
import { Worker } from "node:worker_threads";
import { ImageKind } from "@capos/abi";
import * as Comlink from "comlink";
import nodeEndpoint from "comlink/dist/esm/node-adapter.mjs";
import { Attention, attentionOf, raise } from "../cpu/attention.js";
import { wakeChipset } from "../cpu/lapic.js";
import { closePort, drainPort, feedPort, PortNumber, takeWanted } from "../device/serial-port.js";
import {
  BootInfo,
  CoreArea,
  CoreDeath,
  CoreState,
  coreArea,
  HostEvent,
  type MachinePlan,
  PORT_COUNT,
  Power,
  writeBootInfo,
} from "../memory/machine-map.js";
import { addModule, findModule, unloadModule } from "../memory/modules.js";
import {
  allocateMemory,
  attachMemory,
  type PhysicalMemory,
  type SharedMemory,
} from "../memory/physical-memory.js";
import { checkAddressSpace } from "./address-space.js";
import { CorePool } from "./core-pool.js";
import { cannotStart, HostError } from "./host-error.js";
import type { Management, ManagementTask } from "./management.js";
import { SEALED } from "./workers.js";

/** What a machine's owner must know and provide. */
export interface MachineHooks {
  /** The module that a core's worker runs. */
  readonly coreProgram: URL;
  /** The module that the chipset's worker runs: `host/chipset.js`, or a bundle of it, which starts faster. That itself unless told. */
  readonly chipsetProgram?: URL;
  /** The module whose default export reads the kernel's state from memory, for `management.state()`. */
  readonly inspectProgram?: URL;
  /** Cores that have power from the start; the others can be plugged in later. */
  readonly powered: number;
  /**
   * Bytes that came out of a serial device, in order. A promise that it answers holds the device: until it is settled
   * nothing more is taken from it, and whoever writes to it waits. Must not throw.
   */
  onOutput(port: number, bytes: Uint8Array): unknown;
  /** A driver looked for input and found none. Must not throw. */
  onInputWanted?(port: number): void;
  /** A core was lost and is being replaced; for a line on the host's terminal. */
  onMachineCheck(core: number, death: CoreDeath): void;
  /** Why no new worker may take over what a core's worker left when it died; null if one may. */
  whyNoTakeover(memory: PhysicalMemory, core: number): string | null;
  /** Describes the machine for people who must find out why it stopped. */
  describe(memory: PhysicalMemory): string[];
}

/** How a machine ended. */
export interface MachineEnd {
  /** 0 to 255; 70 after a panic. */
  readonly status: number;
  readonly panicked: boolean;
  /** Why the host let it not come up; null if it did. */
  readonly refusal: HostError | null;
  /** What each core's program returned. */
  readonly reports: readonly unknown[];
}

/** The chipset's and the management worker's. */
const OTHER_THREADS = 2;
/** Of a machine that the host let not come up. */
const REFUSED_STATUS = 2;
/** What a shell says of a process that a SIGKILL ended. */
const KILLED_STATUS = 137;

/** The management worker, and how it is spoken to. */
interface ManagementLink {
  readonly worker: Worker;
  readonly remote: Comlink.Remote<Management>;
  /** Rejects when the worker has failed: what it was asked is not answered then. */
  readonly failed: Promise<never>;
}

/** What is so of all threads of this process. */
function checkProcess(): void {
  if (typeof WebAssembly === "undefined")
    throw new HostError("this Node has no WebAssembly: start it without --jitless and --no-expose-wasm");
  try {
    // Guests are compiled from the text of their images.
    new Function("return true")();
  } catch {
    throw new HostError(
      "this process compiles no code from text: start Node without --disallow-code-generation-from-strings",
    );
  }
}

function allocate(memoryMiB: number): SharedMemory {
  checkProcess();
  try {
    return allocateMemory(memoryMiB);
  } catch {
    throw new HostError(
      `the host has no room for ${memoryMiB} MiB of memory: give the machine less, or raise the limit (ulimit -v)`,
    );
  }
}

export class Machine {
  readonly memory: PhysicalMemory;
  readonly #wasmMemory: SharedMemory;
  readonly #reports: unknown[] = [];
  readonly #input: Uint8Array[][] = Array.from({ length: PORT_COUNT }, () => []);
  readonly #closed: boolean[] = Array.from({ length: PORT_COUNT }, () => false);
  readonly #held: boolean[] = Array.from({ length: PORT_COUNT }, () => false);
  #cores: CorePool | null = null;
  #chipset: Worker | null = null;
  #management: ManagementLink | null = null;
  #stopped = false;
  #refusal: HostError | null = null;
  /** Cores that got power after the start. */
  readonly #plugged = new Set<number>();
  /** Why cores that were plugged in did not start. */
  readonly #stillborn = new Map<number, HostError>();

  /** @throws HostError if the host has not the memory, or not the address space for its threads */
  constructor(
    readonly plan: MachinePlan,
    private readonly hooks: MachineHooks,
  ) {
    this.#wasmMemory = allocate(plan.memoryMiB);
    checkAddressSpace(hooks.powered + OTHER_THREADS);
    this.memory = attachMemory(this.#wasmMemory);
    writeBootInfo(this.memory, plan);
    for (let core = hooks.powered; core < plan.cores; core++) {
      Atomics.store(this.memory.i32, coreArea(this.memory, core) + CoreArea.STATE, CoreState.ABSENT);
    }
  }

  /**
   * Loads a guest image; answers its number. Before power-on or later.
   * @param text what its guests find in `sys.startText`
   * @throws ModuleStoreFullError if there is no room for it now, ModuleTooLargeError if there never is.
   */
  load(name: string, code: string, text = ""): number {
    return addModule(this.memory, name, code, ImageKind.GENERATOR, text);
  }

  /** Lets go of an image: its room is free as soon as no guest can run it. */
  unload(number: number): void {
    unloadModule(this.memory, number);
  }

  /** Whether an image's room is taken: by the host's hold on it, or by guests that can run it. */
  isLoaded(number: number): boolean {
    return findModule(this.memory, number) >= 0;
  }

  /** Switches the machine on. Resolves when it is off again and every worker has ended. */
  async run(): Promise<MachineEnd> {
    this.#cores = new CorePool(this.hooks.coreProgram, this.memory, this.#wasmMemory, {
      onReport: (_core, report) => this.#reports.push(report),
      onDeath: (core, death, error) => this.#machineCheck(core, death, error),
      onImmortal: (core) => this.#die(core),
      onStillborn: (core, error) => this.#lacks(core, error),
    });
    for (let core = 0; core < this.hooks.powered; core++) this.#cores.start(core, false);
    this.#startChipset();
    const bell = this.#listen();
    await this.#cores.settled();
    this.#stopped = true;
    this.#ring();
    await bell;
    await Promise.all([
      this.#cores.destroy(),
      this.#chipset?.terminate(),
      this.#management?.worker.terminate(),
    ]);
    // Nobody writes any more: what is left is no more than the devices hold, and is waited for by nobody.
    this.#held.fill(false);
    this.#drain();
    const { i32 } = this.memory;
    return {
      status: i32[BootInfo.EXIT_STATUS],
      panicked: Atomics.load(i32, BootInfo.POWER) === Power.PANIC,
      refusal: this.#refusal,
      reports: this.#reports,
    };
  }

  #startChipset(): void {
    try {
      this.#chipset = new Worker(this.hooks.chipsetProgram ?? new URL("./chipset.js", import.meta.url), {
        ...SEALED,
        workerData: { memory: this.#wasmMemory },
      });
      this.#chipset.on("error", (error) => this.#chipsetFailed(error));
    } catch (error) {
      this.#chipsetFailed(error);
    }
  }

  #chipsetFailed(error: unknown): void {
    // Cores that are missing have been told of; the chipset's thread was on its way.
    if (!this.isOn) return;
    const failure = cannotStart("the chipset", error);
    if (this.#isUp()) this.#panic(this.memory.i32[BootInfo.BOOT_CORE], failure.message);
    else this.#refuse(failure);
  }

  /** Whether every core that has power takes part. */
  #isUp(): boolean {
    for (let core = 0; core < this.plan.cores; core++) {
      const state = Atomics.load(this.memory.i32, coreArea(this.memory, core) + CoreArea.STATE);
      if (state !== CoreState.ABSENT && state < CoreState.ONLINE) return false;
    }
    return true;
  }

  /** A core has no worker: one that was plugged in stays without, a machine that is short of one does not come up. */
  #lacks(core: number, error: unknown): void {
    const failure = cannotStart(`core ${core}`, error);
    if (core < this.hooks.powered && !this.#plugged.has(core)) this.#refuse(failure);
    else this.#stillborn.set(core, failure);
  }

  /** Ends a machine that does not come up. Its cores have done nothing yet, and may be waiting for each other. */
  #refuse(failure: HostError): void {
    const { i32 } = this.memory;
    if (Atomics.compareExchange(i32, BootInfo.POWER, Power.ON, Power.HALTING) !== Power.ON) return;
    this.#refusal = failure;
    Atomics.store(i32, BootInfo.EXIT_STATUS, REFUSED_STATUS);
    this.#stopCores();
    for (let core = 0; core < this.plan.cores; core++) this.#cores!.terminate(core);
  }

  /**
   * Asks the management worker, which starts for whoever asks first.
   * @throws HostError if the host has no thread for it
   */
  async manage<Answer>(ask: (management: Comlink.Remote<Management>) => Promise<Answer>): Promise<Answer> {
    const { remote, failed } = this.#startManagement();
    return Promise.race([ask(remote), failed]);
  }

  #startManagement(): ManagementLink {
    if (this.#management !== null) return this.#management;
    try {
      const worker = new Worker(new URL("./management.js", import.meta.url), {
        ...SEALED,
        workerData: {
          memory: this.#wasmMemory,
          inspectProgram: this.hooks.inspectProgram?.href ?? null,
        } satisfies ManagementTask,
      });
      const failed = new Promise<never>((_, reject) => {
        worker.once("error", (error) => {
          // The next who asks may have more luck.
          this.#management = null;
          reject(cannotStart("the management worker", error));
        });
      });
      failed.catch(() => {});
      worker.unref();
      this.#management = { worker, remote: Comlink.wrap<Management>(nodeEndpoint(worker)), failed };
      return this.#management;
    } catch (error) {
      throw cannotStart("the management worker", error);
    }
  }

  /** False since somebody began to switch it off, and since a panic. */
  get isOn(): boolean {
    return Atomics.load(this.memory.i32, BootInfo.POWER) === Power.ON;
  }

  /**
   * Gives power to a core that had none and tells the kernel. Comes back with nothing done when the machine is off.
   * @throws HostError if the host has no thread for it
   */
  async plug(core: number): Promise<void> {
    const state = coreArea(this.memory, core) + CoreArea.STATE;
    const was = Atomics.load(this.memory.i32, state);
    if (was !== CoreState.ABSENT) return;
    checkAddressSpace(1);
    this.#stillborn.delete(core);
    this.#plugged.add(core);
    Atomics.store(this.memory.i32, state, CoreState.OFFLINE);
    this.#cores!.start(core, false);
    while (this.isOn && Atomics.load(this.memory.i32, state) < CoreState.WAIT_FOR_INIT) {
      const failure = this.#stillborn.get(core);
      if (failure !== undefined) throw failure;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    if (this.isOn) await this.manage((management) => management.announce());
  }

  /** Sends bytes into a serial device; what does not fit waits here until the driver has read. */
  feed(port: number, bytes: Uint8Array): void {
    this.#input[port].push(bytes);
    this.#pump(port);
  }

  /** Says that a serial device gets no more input. */
  close(port: number): void {
    this.#closed[port] = true;
    this.#pump(port);
  }

  /** Switches the machine off: every core leaves at its next safe point. */
  halt(status: number): void {
    const { i32 } = this.memory;
    if (Atomics.compareExchange(i32, BootInfo.POWER, Power.ON, Power.HALTING) !== Power.ON) return;
    Atomics.store(i32, BootInfo.EXIT_STATUS, status);
    this.#stopCores();
  }

  #stopCores(): void {
    for (let core = 0; core < this.plan.cores; core++)
      raise(this.memory, attentionOf(this.memory, core), Attention.POWER);
    wakeChipset(this.memory);
    this.#ring();
    // A core that reaches no safe point is ended; one that cannot be ended takes the process with it.
    void this.#cores?.terminateWorking(this.plan.watchdogMs);
  }

  #pump(port: number): void {
    const queue = this.#input[port];
    while (queue.length > 0) {
      const bytes = queue[0];
      const sent = feedPort(this.memory, port, bytes);
      if (sent < bytes.length) {
        queue[0] = bytes.subarray(sent);
        return;
      }
      queue.shift();
    }
    if (this.#closed[port]) closePort(this.memory, port);
  }

  #ring(): void {
    Atomics.add(this.memory.i32, BootInfo.HOST_DOORBELL, 1);
    Atomics.notify(this.memory.i32, BootInfo.HOST_DOORBELL);
  }

  /** Waits on the doorbell without blocking the thread: the host's event loop stays free. */
  async #listen(): Promise<void> {
    const { i32 } = this.memory;
    let switchedOff = false;
    while (!this.#stopped) {
      const rung = Atomics.load(i32, BootInfo.HOST_DOORBELL);
      const events = Atomics.exchange(i32, BootInfo.HOST_EVENTS, 0);
      this.#drain();
      for (let port = 0; port < PORT_COUNT; port++) {
        if (this.#input[port].length > 0) this.#pump(port);
        else if (takeWanted(this.memory, port)) this.hooks.onInputWanted?.(port);
      }
      if ((events & HostEvent.MACHINE_CHECK) !== 0) this.#terminateDying();
      if (!switchedOff && Atomics.load(i32, BootInfo.POWER) !== Power.ON) {
        switchedOff = true;
        this.#stopCores();
      }
      const wait = Atomics.waitAsync(i32, BootInfo.HOST_DOORBELL, rung);
      if (wait.async) await wait.value;
      else await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /**
   * Takes what the devices have and hands it on. Read from the last port to the first, handed on from the
   * first to the last: what init says on the control port of a process's end was written after what the
   * process wrote on the console, and is read before it, so it is never told without it. For the same reason a
   * device that is held holds those behind it; but not the bridge: whoever holds the console may be waiting for a guest.
   */
  #drain(): void {
    const held = this.#held.indexOf(true);
    const output: Uint8Array[] = [];
    for (let port = PORT_COUNT - 1; port >= 0; port--)
      if (held < 0 || port < held || port === PortNumber.BRIDGE) output[port] = drainPort(this.memory, port);
    output.forEach((bytes, port) => {
      if (bytes.length === 0) return;
      const taken = this.hooks.onOutput(port, bytes);
      if (taken instanceof Promise) void this.#hold(port, taken);
    });
  }

  async #hold(port: number, taken: Promise<unknown>): Promise<void> {
    this.#held[port] = true;
    await Promise.allSettled([taken]);
    this.#held[port] = false;
    this.#ring();
  }

  #terminateDying(): void {
    for (let core = 0; core < this.plan.cores; core++) {
      if (Atomics.load(this.memory.i32, coreArea(this.memory, core) + CoreArea.STATE) === CoreState.DYING)
        this.#cores!.terminate(core);
    }
  }

  /** A core's worker has exited. The machine goes on with a new one, if that may take over. */
  #machineCheck(core: number, death: CoreDeath, error: unknown): void {
    const { i32 } = this.memory;
    const area = coreArea(this.memory, core);
    const reason =
      death === CoreDeath.CRASH
        ? `its worker ended: ${String(error)}`
        : this.hooks.whyNoTakeover(this.memory, core);
    if (reason !== null) {
      this.#panic(core, reason);
      return;
    }
    this.hooks.onMachineCheck(core, death);
    Atomics.add(i32, area + CoreArea.INCARNATION, 1);
    Atomics.and(i32, area + CoreArea.ATTENTION, ~(Attention.HALTED | Attention.QUIESCENT | Attention.DOOMED));
    this.#cores!.start(core, true);
  }

  #panic(core: number, reason: string): void {
    const { i32 } = this.memory;
    const lines = [`PANIC on core ${core}: ${reason}`, ...this.hooks.describe(this.memory), ""];
    this.#drain();
    this.hooks.onOutput(0, new TextEncoder().encode(lines.join("\n")));
    Atomics.store(i32, BootInfo.EXIT_STATUS, 70);
    Atomics.store(i32, BootInfo.POWER, Power.PANIC);
    this.#stopCores();
  }

  /** Nothing ends this worker: not terminate(), and so not process.exit() either. Only a signal does. */
  #die(core: number): void {
    this.#drain();
    const lines = [
      `core ${core}: its worker does not end; the process ends itself`,
      ...this.hooks.describe(this.memory),
      "",
    ];
    this.hooks.onOutput(0, new TextEncoder().encode(lines.join("\n")));
    // What is done at a process's end is still to be done: a terminal given back, a file taken away.
    process.emit("exit", KILLED_STATUS);
    process.kill(process.pid, "SIGKILL");
  }
}
