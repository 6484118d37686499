/**
 * A real machine for a test: the built images on real cores, driven through the control port.
 *
 * Everything that comes out is kept, and a test waits for what it expects to come, never for time to
 * pass. A machine that ends, or faults, while somebody waits fails the wait with the kernel's own log.
 */
import { fileURLToPath } from "node:url";
import { PortNumber, planMachine } from "@capos/hal";
import { Machine, type MachineEnd } from "@capos/hal/host";
import { buildImage } from "@capos/image";
import { dump, whyNoTakeover } from "@capos/inspect";
import { CORE_PROGRAM } from "@capos/machine";
import {
  type ControlEvent,
  type ControlRequest,
  type ExitEvent,
  IMAGES,
  type LogRecord,
  loadServerImages,
  type RunRequest,
} from "@capos/servers";

export interface MachineFixtureOptions {
  readonly cores?: number;
  /** How many of them have power; all unless told. */
  readonly powered?: number;
  readonly memoryMiB?: number;
  /** Guests under test/fixtures/servers to load, by file name without its ending. */
  readonly fixtures?: readonly string[];
  /** Does something with a machine that has just been switched on. */
  readonly early?: (machine: MachineFixture) => void;
}

/** What a test says of a run; the rest is filled in. */
export type RunOptions = Partial<Omit<RunRequest, "op" | "image">> & {
  /** The number of an image, for a test of bad ones. */
  readonly image?: number;
};

interface Wait {
  readonly check: () => boolean;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** Bytes of one port, cut into lines. */
class Lines {
  readonly lines: string[] = [];
  #rest: number[] = [];

  push(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (byte !== 10) this.#rest.push(byte);
      else this.lines.push(decode(Uint8Array.from(this.#rest.splice(0))));
    }
  }
}

export class MachineFixture {
  /** What init has said, in order. */
  readonly events: ControlEvent[] = [];
  readonly log: LogRecord[] = [];
  /** Resolves when the machine is off. */
  readonly ended: Promise<MachineEnd>;

  readonly #ports = [new Lines(), new Lines(), new Lines(), new Lines(), new Lines()] as const;
  readonly #machine: Machine;
  readonly #images = new Map<string, number>();
  #waits: Wait[] = [];
  #over = false;
  #nextId = 1;

  private constructor(
    cores: number,
    powered: number,
    memoryMiB: number,
    images: { name: string; code: string }[],
  ) {
    this.#machine = new Machine(
      planMachine({ cores, memoryMiB, hardwareThreads: 2, seed: 1, watchdogMs: 2000 }),
      {
        coreProgram: CORE_PROGRAM,
        powered,
        onOutput: (port, bytes) => this.#onOutput(port, bytes),
        onMachineCheck: (core, death) => this.kernelLog.push(`machine check: core ${core}, ${death}`),
        whyNoTakeover,
        describe: dump,
      },
    );
    for (const { name, code } of images) this.#images.set(name, this.#machine.load(name, code));
    this.ended = this.#machine.run().then((end) => {
      this.#over = true;
      this.#look();
      return end;
    });
  }

  /** Boots a machine with the system's images and the given guests; resolves when init is ready. */
  static async boot(options: MachineFixtureOptions = {}): Promise<MachineFixture> {
    const { cores = 2, powered = cores, memoryMiB = 64, fixtures = [] } = options;
    const guests = await Promise.all(
      fixtures.map(async (name) => ({ ...(await buildImage(fixtureFile(name))), name })),
    );
    const machine = new MachineFixture(cores, powered, memoryMiB, [...loadServerImages(), ...guests]);
    options.early?.(machine);
    await machine.event("ready");
    return machine;
  }

  get kernelLog(): string[] {
    return this.#ports[PortNumber.UART].lines;
  }

  /** Lines on the console. */
  get console(): string[] {
    return this.#ports[PortNumber.CONSOLE].lines;
  }

  send(request: ControlRequest): void {
    this.sendRaw(`${JSON.stringify(request)}\n`);
  }

  /** Bytes for the control port, whatever they are. */
  sendRaw(text: string): void {
    this.#machine.feed(PortNumber.CONTROL, new TextEncoder().encode(text));
  }

  /** Types on the console. */
  type(text: string | Uint8Array): void {
    this.#machine.feed(PortNumber.CONSOLE, typeof text === "string" ? new TextEncoder().encode(text) : text);
  }

  endInput(): void {
    this.#machine.close(PortNumber.CONSOLE);
  }

  /** Asks for a run of a fixture and gives its id. */
  start(fixture: string, options: RunOptions = {}): number {
    const id = options.id ?? this.#nextId++;
    const image = options.image ?? this.#images.get(fixture);
    if (image === undefined) throw new Error(`${fixture} is not among ${[...this.#images.keys()]}`);
    this.send({ op: "run", name: fixture, ...options, id, image });
    return id;
  }

  /** Runs a fixture and gives how it ended. */
  run(fixture: string, options: RunOptions = {}): Promise<ExitEvent> {
    return this.exit(this.start(fixture, options));
  }

  /** The exit of a run; fails if init refuses it. */
  async exit(id: number): Promise<ExitEvent> {
    const find = () =>
      this.events.find((event) => (event.event === "exit" || event.event === "error") && event.id === id);
    await this.until(`the exit of ${id}`, () => find() !== undefined);
    const event = find()!;
    if (event.event !== "exit") throw new Error(`run ${id} was refused: ${JSON.stringify(event)}`);
    return event;
  }

  /** The first event of a kind that a test accepts, from the `after`th event on. */
  async event<K extends ControlEvent["event"]>(
    kind: K,
    accept: (event: Extract<ControlEvent, { event: K }>) => boolean = () => true,
    after = 0,
  ): Promise<Extract<ControlEvent, { event: K }>> {
    type Wanted = Extract<ControlEvent, { event: K }>;
    const find = () =>
      this.events.slice(after).find((event) => event.event === kind && accept(event as Wanted)) as
        | Wanted
        | undefined;
    await this.until(`event ${kind}`, () => find() !== undefined);
    return find()!;
  }

  /** What init has left to give. */
  async memory(): Promise<{ freeBytes: number; largestBytes: number }> {
    const after = this.events.length;
    this.send({ op: "memory" });
    const { freeBytes, largestBytes } = await this.event("memory", () => true, after);
    return { freeBytes, largestBytes };
  }

  /** Resolves once a line with this text has been on the console. */
  async line(text: string): Promise<void> {
    await this.until(`console line ${JSON.stringify(text)}`, () => this.console.includes(text));
  }

  /** Resolves once `check` holds; it is asked again whenever something came out. */
  until(what: string, check: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waits.push({
        check,
        resolve,
        reject: (error) => reject(new Error(`waiting for ${what}: ${error.message}`)),
      });
      this.#look();
    });
  }

  /** Halts the machine and gives how it ended. */
  halt(status = 0): Promise<MachineEnd> {
    this.send({ op: "halt", status });
    return this.ended;
  }

  /** Switches it off from outside, for the end of a test that does not care. */
  async off(): Promise<void> {
    this.#machine.halt(0);
    await this.ended;
  }

  #onOutput(port: number, bytes: Uint8Array): void {
    const lines = this.#ports[port as PortNumber];
    const before = lines.lines.length;
    lines.push(bytes);
    for (const line of lines.lines.slice(before)) {
      if (port === PortNumber.CONTROL) this.events.push(JSON.parse(line) as ControlEvent);
      else if (port === PortNumber.LOG) this.log.push(JSON.parse(line) as LogRecord);
    }
    this.#look();
  }

  #look(): void {
    const waits = this.#waits;
    this.#waits = waits.filter(({ check }) => !check());
    for (const wait of waits) if (!this.#waits.includes(wait)) wait.resolve();
    if (!this.#over) return;
    const said = [...this.kernelLog, ...this.events.map((event) => JSON.stringify(event))].slice(-60);
    for (const wait of this.#waits) wait.reject(new Error(`the machine is off\n${said.join("\n")}`));
    this.#waits = [];
  }
}

/** Images before the fixtures of a test. */
export const SYSTEM_IMAGES = IMAGES.length;

function fixtureFile(name: string): string {
  return fileURLToPath(new URL(`../../../fixtures/servers/${name}.ts`, import.meta.url));
}
