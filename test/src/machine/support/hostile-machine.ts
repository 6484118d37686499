/**
 * A machine for hostile guests. Many of them live on one machine, one after the other, and after each it
 * is asked whether it is still sound: a test of the next guest is a test of the one before.
 *
 * Guests are given as source text, so that a test shows what it does. They go to core 1 unless told:
 * init and the services live on core 0. On the last core lives a witness, a process to be harmed.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Image, lifeName } from "@capos/abi";
import { type CoreDeath, PortNumber, planMachine } from "@capos/hal";
import { Machine, type MachineEnd } from "@capos/hal/host";
import { buildImage, locate } from "@capos/image";
import { dump, whyNoTakeover } from "@capos/inspect";
import { CORE_PROGRAM } from "@capos/machine";
import { type ControlEvent, type ExitEvent, loadServerImages } from "@capos/servers";
import type { Test } from "tap";

/** How a guest ended. */
export interface Ending {
  /** "exited", "faulted" or "killed". */
  readonly state: string;
  readonly status: number;
  /** `line:column: ` in the guest's own file, if it is known, and the fault's text. */
  readonly fault: string;
}

export interface Where {
  readonly core?: number;
  readonly args?: readonly string[];
  readonly memoryBits?: number;
}

/** A quarter of this is how long code that cannot yield may run. */
export const WATCHDOG_MS = 600;
export const TOO_LONG = `ran for more than ${WATCHDOG_MS / 4} ms of CPU time without a trap, the limit of code that cannot yield: call it directly from main or under yield*, or do less at a time`;

export class HostileMachine {
  readonly console: string[] = [];
  readonly machineChecks: { readonly core: number; readonly death: CoreDeath }[] = [];
  readonly ended: Promise<MachineEnd>;
  /** What the kernel wrote on its own line. */
  kernel = "";
  readonly #machine: Machine;
  readonly #events: ControlEvent[] = [];
  readonly #images = new Map<string, { readonly number: number; readonly image: Image }>();
  readonly #running = new Map<number, Image>();
  readonly #folder = mkdtempSync(join(tmpdir(), "capos-hostile-"));
  readonly #rest: string[] = ["", "", "", ""];
  #waits: { check: () => boolean; done: () => void }[] = [];
  #over = false;
  #nextId = 1;
  #asked = 0;

  private constructor(
    readonly cores: number,
    watchdogMs: number,
  ) {
    const plan = planMachine({ cores, memoryMiB: 512, hardwareThreads: 2, seed: 1, watchdogMs });
    this.#machine = new Machine(plan, {
      coreProgram: CORE_PROGRAM,
      powered: cores,
      onOutput: (port, bytes) => this.#onOutput(port, bytes),
      onMachineCheck: (core, death) => this.machineChecks.push({ core, death }),
      whyNoTakeover,
      describe: dump,
    });
    for (const { name, code } of loadServerImages()) this.#machine.load(name, code);
    this.ended = this.#machine.run().then((end) => {
      this.#over = true;
      this.#look();
      rmSync(this.#folder, { recursive: true });
      return end;
    });
  }

  static async boot(cores = 3, watchdogMs = WATCHDOG_MS): Promise<HostileMachine> {
    const machine = new HostileMachine(cores, watchdogMs);
    await machine.until("init", () => machine.#events.some(({ event }) => event === "ready"));
    if (cores > 1) {
      await machine.startFile("witness", { core: cores - 1 });
      await machine.until("the witness", () => machine.console.includes("witness ready"));
    }
    return machine;
  }

  /** Starts a guest from its source. */
  async start(source: string, where: Where = {}): Promise<number> {
    let built = this.#images.get(source);
    if (built === undefined) {
      const file = join(this.#folder, `guest-${this.#images.size}.ts`);
      writeFileSync(file, source);
      const image = await buildImage(file);
      built = { image, number: this.#machine.load(image.name, image.code) };
      this.#images.set(source, built);
    }
    return this.#startImage(built.number, built.image, where);
  }

  /** Starts a guest of test/fixtures/hostile. */
  async startFile(name: string, where: Where = {}): Promise<number> {
    let built = this.#images.get(name);
    if (built === undefined) {
      const image = await buildImage(
        fileURLToPath(new URL(`../../../fixtures/hostile/${name}.ts`, import.meta.url)),
      );
      built = { image, number: this.#machine.load(name, image.code) };
      this.#images.set(name, built);
    }
    return this.#startImage(built.number, built.image, where);
  }

  #startImage(number: number, image: Image, where: Where): number {
    const id = this.#nextId++;
    this.#running.set(id, image);
    const { core = 1, args = [], memoryBits = 14 } = where;
    const cores = [core % this.cores];
    // As many as any of them starts, and some.
    const threads = 200;
    const { name } = image;
    this.#send({ op: "run", id, image: number, name, cores, args, memoryBits, threads });
    return id;
  }

  async exit(id: number): Promise<Ending> {
    const find = () =>
      this.#events.find((it) => (it.event === "exit" || it.event === "error") && it.id === id);
    await this.until(`the exit of ${id}`, () => find() !== undefined);
    const event = find()!;
    if (event.event !== "exit") throw new Error(`run ${id} was refused: ${JSON.stringify(event)}`);
    return this.#describe(event);
  }

  #describe({ id, state, status, line, column, fault }: ExitEvent): Ending {
    const place = locate(this.#running.get(id)!, line, column);
    const where = place === null ? "" : `${place.line}:${place.column}: `;
    return { state: lifeName(state), status, fault: `${where}${fault}` };
  }

  async run(source: string, where: Where = {}): Promise<Ending> {
    return this.exit(await this.start(source, where));
  }

  async runFile(name: string, where: Where = {}): Promise<Ending> {
    return this.exit(await this.startFile(name, where));
  }

  async kill(id: number): Promise<Ending> {
    this.#send({ op: "kill", id });
    return this.exit(id);
  }

  /** The machine as it stands. */
  dump(): string[] {
    return dump(this.#machine.memory);
  }

  /** Resolves once a line is on the console. */
  async line(text: string): Promise<void> {
    await this.until(`line ${text}`, () => this.console.includes(text));
  }

  /** Asserts that services, cores and other processes are what they were; asked on the attacked core. */
  async sound(t: Test, after: string, core = 1): Promise<void> {
    const asked = this.#asked++;
    const ending = await this.runFile("prober", { core, args: [`${asked}`] });
    t.same(ending, { state: "exited", status: 0, fault: "" }, `the machine is sound after ${after}`);
    t.notMatch(this.kernel, /PANIC/);
  }

  /** Halts and asserts that everything ended well. */
  async halt(t: Test): Promise<void> {
    this.#send({ op: "halt", status: 0 });
    const { status, panicked } = await this.ended;
    t.same({ status, panicked }, { status: 0, panicked: false }, "the machine halts when told");
  }

  /** Resolves when `check` holds; it is asked again whenever something came out. */
  until(what: string, check: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = () => {
        if (check()) resolve();
        else reject(new Error(`waiting for ${what}, but the machine is off\n${this.kernel}`));
      };
      this.#waits.push({ check, done });
      this.#look();
    });
  }

  #send(request: object): void {
    this.#machine.feed(PortNumber.CONTROL, new TextEncoder().encode(`${JSON.stringify(request)}\n`));
  }

  #onOutput(port: number, bytes: Uint8Array): void {
    const text = new TextDecoder().decode(bytes);
    if (port === PortNumber.UART) this.kernel += text;
    const lines = (this.#rest[port] + text).split("\n");
    this.#rest[port] = lines.pop()!;
    if (port === PortNumber.CONSOLE) this.console.push(...lines);
    else if (port === PortNumber.CONTROL)
      this.#events.push(...lines.map((it) => JSON.parse(it) as ControlEvent));
    this.#look();
  }

  #look(): void {
    const ready = this.#waits.filter((wait) => this.#over || wait.check());
    this.#waits = this.#waits.filter((wait) => !ready.includes(wait));
    for (const wait of ready) wait.done();
  }
}

/** A guest whose `main` has this body; `sys` and all of libos are in scope. */
export function guest(body: string, top = ""): string {
  return [
    `import { cnode, Echo, Err, ObjectType, Right, spawnThread, start } from "@capos/libos";`,
    top,
    `export default function* main(sys: any) {\n${body}\n}`,
  ].join("\n");
}
