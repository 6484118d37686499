/**
 * A booted machine for the guests that test the kernel from inside: see `guest-tests.ts`.
 */
import { fileURLToPath } from "node:url";
import { PortNumber, planMachine } from "@capos/hal";
import { Machine, type MachineEnd } from "@capos/hal/host";
import { buildImage } from "@capos/image";
import { type CoreSnapshot, dump, snapshotCore, whyNoTakeover } from "@capos/inspect";
import { CORE_PROGRAM } from "@capos/machine";
import { type ControlEvent, type ExitEvent, loadServerImages } from "@capos/servers";

/** What a guest says of one of its tests. */
export interface TestReport {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

export interface GuestMachineOptions {
  readonly cores?: number;
  readonly powered?: number;
  readonly memoryMiB?: number;
  readonly watchdogMs?: number;
  /** How long the machine may stay silent before it counts as stuck; far more than any test needs unless given. */
  readonly silentMs?: number;
}

export interface GuestOptions {
  /** The guest's arguments. */
  readonly args?: readonly string[];
  readonly core?: number;
  readonly priority?: number;
  readonly memoryBits?: number;
  /** Guests that it may run: it finds their images in `handed`. */
  readonly images?: readonly string[];
}

const SILENT_MS = 60_000;

/** A booted machine that runs guests from test/src/kernel/guests. */
export class GuestMachine {
  /** Lines on the console, and on the kernel's own line. */
  readonly console: string[] = [];
  readonly kernel: string[] = [];
  readonly machine: Machine;
  readonly #rest: string[] = ["", "", "", ""];
  readonly #events: ControlEvent[] = [];
  readonly #images = new Map<string, number>();
  readonly #ended: Promise<MachineEnd>;
  #waits: { check: () => boolean; done: () => void }[] = [];
  #over = false;
  #said = 0;
  #nextId = 1;

  readonly #silentMs: number;

  private constructor(options: Required<GuestMachineOptions>) {
    const { cores, powered, memoryMiB, watchdogMs } = options;
    this.#silentMs = options.silentMs;
    this.machine = new Machine(planMachine({ cores, memoryMiB, hardwareThreads: 2, seed: 1, watchdogMs }), {
      coreProgram: CORE_PROGRAM,
      powered,
      onOutput: (port, bytes) => this.#onOutput(port, bytes),
      onMachineCheck: () => this.#look(),
      whyNoTakeover,
      describe: dump,
    });
    for (const { name, code } of loadServerImages()) this.machine.load(name, code);
    this.#ended = this.machine.run().then((end) => {
      this.#over = true;
      this.#look();
      return end;
    });
  }

  static async boot(options: GuestMachineOptions = {}): Promise<GuestMachine> {
    const cores = options.cores ?? 2;
    const machine = new GuestMachine({
      cores,
      powered: cores,
      memoryMiB: 64,
      watchdogMs: 4000,
      silentMs: SILENT_MS,
      ...options,
    });
    try {
      await machine.until("init to be ready", () => machine.#events.some(({ event }) => event === "ready"));
      return machine;
    } catch (error) {
      await machine.halt();
      throw error;
    }
  }

  /** Starts a guest; its exit is awaited with `exit`. */
  async start(guest: string, { core, ...options }: GuestOptions = {}): Promise<number> {
    const image = await this.#load(guest);
    const images: number[] = [];
    for (const other of options.images ?? []) images.push(await this.#load(other));
    const id = this.#nextId++;
    const request = {
      op: "run",
      name: guest,
      memoryBits: 24,
      // More than any test starts, and no more than the smallest machine has.
      threads: 200,
      debug: true,
      priority: 50,
      ...(core !== undefined && { cores: [core] }),
      ...options,
      id,
      image,
      handed: images.map((image) => ({ image })),
    };
    this.machine.feed(PortNumber.CONTROL, new TextEncoder().encode(`${JSON.stringify(request)}\n`));
    return id;
  }

  /** The number of a guest's image, which is loaded once. */
  async #load(guest: string): Promise<number> {
    const known = this.#images.get(guest);
    if (known !== undefined) return known;
    const number = this.machine.load(guest, (await buildImage(guestFile(guest))).code);
    this.#images.set(guest, number);
    return number;
  }

  /** How a run ended, if it has. Throws if it was refused. */
  exitOf(id: number): ExitEvent | undefined {
    const event = this.#events.find((it) => (it.event === "exit" || it.event === "error") && it.id === id);
    if (event?.event === "error") throw new Error(`run ${id} was refused: ${JSON.stringify(event)}`);
    return event as ExitEvent | undefined;
  }

  async exit(id: number): Promise<ExitEvent> {
    await this.until(`the exit of run ${id}`, () => this.exitOf(id) !== undefined);
    return this.exitOf(id)!;
  }

  /** Has a run guest perform one of its tests; resolves with what it says of it, or with null if it ends in the test. */
  async perform(id: number, name: string): Promise<TestReport | null> {
    this.type(name);
    const isReport = (line: string) => line.startsWith("{");
    await this.until(
      `the end of the test "${name}"`,
      () => this.console.some(isReport) || this.exitOf(id) !== undefined,
    );
    const at = this.console.findIndex(isReport);
    return at < 0 ? null : (JSON.parse(this.console.splice(at, 1)[0]) as TestReport);
  }

  /** True once the machine is off, by itself or not. */
  get isOff(): boolean {
    return this.#over;
  }

  /** Resolves when `check` holds; it is asked whenever something has come out of the machine. */
  until(what: string, check: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      // Not a measure of time: a machine that is silent for so long will say nothing more.
      let said = -1;
      const timer = setInterval(() => {
        if (said === this.#said) {
          clearInterval(timer);
          reject(new Error(`waits for ${what}\n${this.describe()}`));
        }
        said = this.#said;
      }, this.#silentMs);
      const done = () => {
        clearInterval(timer);
        if (check()) resolve();
        else reject(new Error(`waits for ${what}, but the machine is off\n${this.describe()}`));
      };
      this.#waits.push({ check, done });
      this.#look();
    });
  }

  /** Resolves once a line of the console is `text`, and takes it. */
  async line(text: string): Promise<void> {
    await this.until(`line "${text}"`, () => this.console.includes(text));
    this.console.splice(this.console.indexOf(text), 1);
  }

  /** Types a line on the console. */
  type(text: string): void {
    this.machine.feed(PortNumber.CONSOLE, new TextEncoder().encode(`${text}\n`));
  }

  core(core: number): CoreSnapshot {
    return snapshotCore(this.machine.memory, core);
  }

  /** The last that was said, and the machine as it stands. */
  describe(): string {
    return [
      ...this.console.slice(-12),
      ...this.kernel.slice(-12),
      ...dump(this.machine.memory).slice(0, 80),
    ].join("\n");
  }

  async halt(): Promise<MachineEnd> {
    this.machine.halt(0);
    return this.#ended;
  }

  #onOutput(port: number, bytes: Uint8Array): void {
    this.#said++;
    const lines = (this.#rest[port] + new TextDecoder().decode(bytes)).split("\n");
    this.#rest[port] = lines.pop()!;
    if (port === PortNumber.CONSOLE) this.console.push(...lines);
    else if (port === PortNumber.CONTROL)
      this.#events.push(...lines.map((it) => JSON.parse(it) as ControlEvent));
    else if (port === PortNumber.UART) this.kernel.push(...lines);
    this.#look();
  }

  #look(): void {
    const ready = this.#waits.filter((wait) => this.#over || wait.check());
    this.#waits = this.#waits.filter((wait) => !ready.includes(wait));
    for (const wait of ready) wait.done();
  }
}

/** A guest of test/src/kernel/guests. */
export function guestFile(name: string): string {
  return fileURLToPath(new URL(`../../../src/kernel/guests/${name}.ts`, import.meta.url));
}
