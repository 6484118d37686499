/**
 * A machine in a process of its own. Whatever ends that process (the engine's own check, a signal, the host's memory)
 * ends the machine and nothing else: what waits for it is told, with what the process said last.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { constants } from "node:os";
import process from "node:process";
import type { Image } from "@capos/abi";
import type { MachineState, Standstill } from "@capos/inspect";
import { type BirpcReturn, createBirpc } from "birpc";
import type { Backend, GivenThing, MachineFacts } from "../backend.js";
import { call, report } from "../callbacks.js";
import { consoleWriter } from "../console-text.js";
import { ExitStatus, MachineError, UsageError } from "../errors.js";
import { Lifetime } from "../lifetime.js";
import type { BootOptions, MachineReport, RunResult } from "../options.js";
import type { RunRequest } from "../run-request.js";
import { Tail } from "../tail.js";
import {
  MACHINE_OPTIONS,
  type MachineSide,
  type OwnerSide,
  type PlainOptions,
  type Settled,
  unsettle,
} from "./protocol.js";

const PROGRAM = new URL("./program.js", import.meta.url);
/** What a shell adds to the number of the signal that ended a process. */
const SIGNALLED = 128;

type Remote = BirpcReturn<MachineSide, OwnerSide>;

/**
 * Boots a machine in a process of its own.
 * @throws UsageError, MachineError: see `boot`
 */
export async function bootApart(options: BootOptions, log: (line: string) => unknown): Promise<Backend> {
  if (options.onMachine !== undefined)
    throw new UsageError(
      "process: nobody can watch the memory of a machine in a process of its own (onMachine)",
    );
  const child = fork(PROGRAM, [], {
    // What an application's own process is started with is not for the machine.
    execArgv: [],
    serialization: "advanced",
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  return new MachineApart(child, options, log).boot();
}

class MachineApart implements Backend {
  readonly lifetime = new Lifetime();
  readonly memory = null;
  readonly ended: Promise<MachineReport>;
  readonly #remote: Remote;
  readonly #kernelText = new Tail();
  /** What the process itself printed: the engine's last words. */
  readonly #processText = new Tail();
  #facts!: MachineFacts;
  #report: MachineReport | null = null;

  constructor(
    private readonly child: ChildProcess,
    private readonly options: BootOptions,
    log: (line: string) => unknown,
  ) {
    const onConsole =
      options.onConsole ?? consoleWriter((text) => process.stdout.write(text), process.stdout.isTTY === true);
    const onInput = options.onInput ?? (() => null);
    this.#remote = createBirpc<MachineSide, OwnerSide>(
      {
        console: (lines) => takeAll(onConsole, lines),
        log: (lines) => takeAll(log, lines),
        kernel: (text) => {
          this.#kernelText.push(text);
          if (options.onKernel !== undefined) call(options.onKernel, text);
        },
        bridge: (bytes) => this.onBridge(bytes),
        input: async () => bytesOf(await call(onInput)),
        ended: (report) => {
          this.#report = report;
        },
      },
      {
        // A process that is gone is told of by its end.
        post: (message) => void child.send(message, () => {}),
        on: (listener) => void child.on("message", listener),
        timeout: -1,
      },
    );
    for (const stream of [child.stdout!, child.stderr!])
      stream.setEncoding("utf8").on("data", (text: string) => this.#processText.push(text));
    this.ended = this.#end();
  }

  get pid(): number {
    return this.child.pid!;
  }

  get cores(): number {
    return this.#facts.cores;
  }

  get memoryMiB(): number {
    return this.#facts.memoryMiB;
  }

  get powerToInitNs(): number {
    return this.#facts.powerToInitNs;
  }

  async boot(): Promise<this> {
    const plain = plainOf(this.options);
    const settled = await this.lifetime.during(() => this.#remote.boot(plain));
    try {
      this.#facts = unsettle(settled);
      return this;
    } catch (error) {
      // There is no machine in it: nobody would halt it.
      const status = error instanceof MachineError ? error.status : ExitStatus.USAGE;
      this.#report = { status, panicked: status === ExitStatus.PANIC, cores: [] };
      this.child.kill("SIGKILL");
      await this.ended;
      throw error;
    }
  }

  async run(pid: number, image: Image, request: RunRequest): Promise<RunResult> {
    return await this.#ask(() => this.#remote.run(pid, image, request));
  }

  async give(to: number, slot: number, what: GivenThing): Promise<void> {
    await this.#ask(() => this.#remote.give(to, slot, what));
  }

  kill(pid: number): void {
    // Behind the run, which is sent when its promises have come to that.
    setImmediate(() => void this.#remote.kill.asEvent(pid));
  }

  keepAlive(wanted: boolean): void {
    const { child } = this;
    const how = wanted ? "ref" : "unref";
    child[how]();
    child.channel?.[how]();
    for (const stream of [child.stdout, child.stderr]) (stream as Socket | null)?.[how]();
  }

  async inspect(): Promise<MachineState> {
    return await this.#ask(() => this.#remote.inspect());
  }

  async standstill(hasIdleBridge: boolean): Promise<Standstill | null> {
    return await this.#ask(() => this.#remote.standstill(hasIdleBridge));
  }

  async plug(core: number): Promise<void> {
    await this.#ask(() => this.#remote.plug(core));
  }

  async unplug(core: number): Promise<void> {
    await this.#ask(() => this.#remote.unplug(core));
  }

  async killService(service: string): Promise<void> {
    await this.#ask(() => this.#remote.killService(service));
  }

  async #ask<T>(ask: () => Promise<Settled<T>>): Promise<T> {
    const settled = await this.lifetime.during(ask);
    // It is the machine's end that is told: here as well it has ended then.
    if ("failure" in settled) return this.lifetime.over();
    return unsettle(settled);
  }

  onBridge: (bytes: Uint8Array) => void = () => {};

  sendBridge(bytes: Uint8Array): void {
    void this.#remote.sendBridge.asEvent(bytes);
  }

  feed(bytes: Uint8Array): void {
    void this.#remote.feed.asEvent(bytes);
  }

  closeInput(): void {
    void this.#remote.closeInput.asEvent();
  }

  halt(status: number): void {
    if (this.child.connected) void this.#remote.halt.asEvent(status);
  }

  /** Waits until the process is gone and all that it said was read. */
  async #end(): Promise<MachineReport> {
    const [[code, signal]] = (await Promise.all([
      once(this.child, "close"),
      once(this.child, "disconnect"),
    ])) as [[number | null, NodeJS.Signals | null], unknown];
    const { onKernel, onPanic = (text: string) => void process.stderr.write(text) } = this.options;
    const ended = this.#report;
    if (ended !== null) {
      this.lifetime.end(
        ended.panicked
          ? new MachineError("the kernel panicked", ExitStatus.PANIC, this.#kernelText.text)
          : new MachineError("the machine was halted", ended.status),
      );
      if (ended.panicked && onKernel === undefined) call(onPanic, this.#kernelText.text);
      return ended;
    }
    const how = signal === null ? `ended by itself with status ${code}` : `was ended by ${signal}`;
    const status = signal === null ? code || ExitStatus.FAILED : SIGNALLED + constants.signals[signal];
    const dump = this.#kernelText.text + this.#processText.text;
    this.lifetime.end(new MachineError(`the process of the machine ${how}`, status, dump));
    if (onKernel === undefined) call(onPanic, dump);
    else if (this.#processText.text !== "") call(onKernel, this.#processText.text);
    return { status, panicked: false, cores: [] };
  }
}

function plainOf(options: BootOptions): PlainOptions {
  // Whoever gives more than there is may give what cannot be sent.
  const told = MACHINE_OPTIONS.filter((name) => options[name] !== undefined);
  return {
    ...(Object.fromEntries(told.map((name) => [name, options[name]])) as Partial<PlainOptions>),
    lastMomentsHref: options.lastMoments?.href ?? null,
    hasInput: options.onInput !== undefined,
  };
}

async function takeAll(sink: (line: string) => unknown, lines: readonly string[]): Promise<void> {
  await Promise.all(lines.map((line) => call(sink, line)));
}

/** What an application gave as input; what is none ends it. */
function bytesOf(given: unknown): Uint8Array | null {
  if (given instanceof Uint8Array) return given;
  if (given !== null && given !== undefined)
    report(new TypeError("onInput must answer a Uint8Array or null"));
  return null;
}
