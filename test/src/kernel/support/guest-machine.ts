/**
 * Runs a guest that tests the kernel from inside, and turns what it reports into assertions.
 *
 * A guest of `test/src/kernel/guests` runs named cases and prints one JSON line for each (see its
 * `kit.ts`); a case's name is a rule of the kernel. A guest that never ends is a finding: it fails with
 * the machine's dump, which says which thread waits for what.
 */
import { fileURLToPath } from "node:url";
import { LifeState } from "@capos/abi";
import { PortNumber, planMachine } from "@capos/hal";
import { Machine, type MachineEnd } from "@capos/hal/host";
import { buildImage } from "@capos/image";
import { type CoreSnapshot, dump, snapshotCore, whyNoTakeover } from "@capos/inspect";
import { CORE_PROGRAM } from "@capos/machine";
import { type ControlEvent, type ExitEvent, loadServerImages } from "@capos/servers";
import type { Test } from "tap";

/** What a guest says of one case. */
export interface CaseReport {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

export interface GuestMachineOptions {
  readonly cores?: number;
  readonly powered?: number;
  readonly memoryMiB?: number;
  readonly watchdogMs?: number;
}

export interface GuestOptions {
  /** A text that the names of the cases to run contain; then more arguments. The image's number comes before them. */
  readonly args?: readonly string[];
  readonly core?: number;
  readonly priority?: number;
  readonly memoryBits?: number;
}

/** How long a machine may stay silent before it counts as stuck: far more than any case needs. */
const STUCK_MS = 60_000;

/** A booted machine that runs guests from test/src/kernel/guests. */
export class GuestMachine {
  /** Lines on the console, and on the kernel's own line. */
  readonly console: string[] = [];
  readonly kernel: string[] = [];
  readonly machineChecks: number[] = [];
  readonly machine: Machine;
  readonly #rest: string[] = ["", "", "", ""];
  readonly #events: ControlEvent[] = [];
  readonly #images = new Map<string, number>();
  readonly #ended: Promise<MachineEnd>;
  #waits: { check: () => boolean; done: () => void }[] = [];
  #over = false;
  #said = 0;
  #nextId = 1;

  private constructor(options: Required<GuestMachineOptions>) {
    const { cores, powered, memoryMiB, watchdogMs } = options;
    this.machine = new Machine(planMachine({ cores, memoryMiB, hardwareThreads: 2, seed: 1, watchdogMs }), {
      coreProgram: CORE_PROGRAM,
      powered,
      onOutput: (port, bytes) => this.#onOutput(port, bytes),
      onMachineCheck: (core) => {
        this.machineChecks.push(core);
        this.#look();
      },
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
    const machine = new GuestMachine({ cores, powered: cores, memoryMiB: 64, watchdogMs: 4000, ...options });
    await machine.until("init to be ready", () => machine.#events.some(({ event }) => event === "ready"));
    return machine;
  }

  /** Starts a guest; its exit is awaited with `exit`. */
  async start(fixture: string, options: GuestOptions = {}): Promise<number> {
    let image = this.#images.get(fixture);
    if (image === undefined) {
      const built = await buildImage(fixtureFile(fixture));
      image = this.machine.load(fixture, built.code);
      this.#images.set(fixture, image);
    }
    const id = this.#nextId++;
    const request = {
      op: "run",
      name: fixture,
      memoryBits: 24,
      // More than any case starts, and no more than the smallest machine has.
      threads: 200,
      debug: true,
      priority: 50,
      ...options,
      args: [String(image), ...(options.args ?? [])],
      id,
      image,
    };
    this.machine.feed(PortNumber.CONTROL, new TextEncoder().encode(`${JSON.stringify(request)}\n`));
    return id;
  }

  async exit(id: number): Promise<ExitEvent> {
    const find = () =>
      this.#events.find((it) => (it.event === "exit" || it.event === "error") && it.id === id);
    await this.until(`the exit of run ${id}`, () => find() !== undefined);
    const event = find()!;
    if (event.event !== "exit") throw new Error(`run ${id} was refused: ${JSON.stringify(event)}`);
    return event;
  }

  async run(fixture: string, options: GuestOptions = {}): Promise<ExitEvent> {
    return this.exit(await this.start(fixture, options));
  }

  /** What the guests have reported so far. */
  get cases(): CaseReport[] {
    return this.console.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as CaseReport);
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
      }, STUCK_MS);
      const done = () => {
        clearInterval(timer);
        if (check()) resolve();
        else reject(new Error(`waits for ${what}, but the machine is off\n${this.describe()}`));
      };
      this.#waits.push({ check, done });
      this.#look();
    });
  }

  /** Resolves once a line of the console is `text`. */
  async line(text: string): Promise<void> {
    await this.until(`line "${text}"`, () => this.console.includes(text));
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
    const lines = (this.#rest[port]! + new TextDecoder().decode(bytes)).split("\n");
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
export function fixtureFile(name: string): string {
  return fileURLToPath(new URL(`../../../src/kernel/guests/${name}.ts`, import.meta.url));
}

/**
 * Runs one fixture on a machine of its own and asserts each case that it reports, and that it reported
 * at least `least` of them and ended well.
 */
export async function checkGuest(
  t: Test,
  fixture: string,
  least: number,
  machineOptions: GuestMachineOptions = {},
  guestOptions: GuestOptions = {},
): Promise<void> {
  const machine = await GuestMachine.boot(machineOptions);
  try {
    const exit = await machine.run(fixture, guestOptions);
    for (const { name, ok, detail } of machine.cases) t.ok(ok, name, { diagnostic: !ok, detail });
    t.equal(exit.fault, "", "the guest did not fault");
    t.equal(exit.state, LifeState.EXITED, "the guest ended by itself");
    t.ok(machine.cases.length >= least, `${machine.cases.length} cases ran, at least ${least}`);
  } catch (error) {
    t.fail(String(error));
  } finally {
    const end = await machine.halt();
    t.equal(end.panicked, false, "the kernel did not panic");
  }
}
