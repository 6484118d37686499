/** A machine in this process: the far ends of its serial devices, and what a run is made of. */
import { availableParallelism } from "node:os";
import process from "node:process";
import { DEFAULT_MEMORY_MIB, type Image, LifeState, lifeName, visibleLines } from "@capos/abi";
import { MachinePlanError, nowNs, type PhysicalMemory, PortNumber, planMachine } from "@capos/hal";
import { Machine, type MachineEnd, type MachineHooks } from "@capos/hal/host";
import {
  dump,
  expectsExpiry,
  INSPECT_PROGRAM,
  initStartedNs,
  type MachineState,
  type Standstill,
  standstill,
  whyNoTakeover,
} from "@capos/inspect";
import type { CoreReport } from "@capos/kernel";
import { USUAL_GROUPS } from "@capos/kernel/trace-events";
import { argumentsText } from "@capos/libos";
import { type ExitEvent, loadServerImages, placeArguments } from "@capos/servers";
import type { Backend, GivenThing } from "./backend.js";
import { call } from "./callbacks.js";
import { ConsoleInput } from "./console-input.js";
import { consoleWriter } from "./console-text.js";
import { Control } from "./control.js";
import { defaultCores } from "./defaults.js";
import { ExitStatus, MachineError, UsageError } from "./errors.js";
import { crashText, describeFault } from "./fault-text.js";
import { fromHost } from "./from-host.js";
import { assetsOf, LoadedImages, load } from "./images.js";
import { KernelConsole } from "./kernel-console.js";
import { Lifetime } from "./lifetime.js";
import { LineSplitter } from "./lines.js";
import type { BootOptions, LastMoments, MachineReport, RunResult } from "./options.js";
import { CHIPSET_PROGRAM, CORE_PROGRAM, TRACED_CORE_PROGRAM } from "./programs.js";
import { inRange } from "./ranges.js";
import type { RunRequest } from "./run-request.js";
import { Tail } from "./tail.js";

/** As the log server numbers it. */
const LOG_ERROR = 50;
const DEFAULT_WATCHDOG_MS = 2000;
const MIN_DEFAULT_THREADS = 32;
const MAX_SEED = 0x7fff_ffff;

const DEATHS: Readonly<Record<number, string>> = {
  1: "reached no safe point in time",
  2: "ran out of JavaScript heap",
};

/** Takes a line; answers what holds up the next ones, if anything does. */
type Sink = (line: string) => unknown;

/** Bytes of a device to whoever takes its lines. */
class LineOutput {
  #answers: unknown[] = [];
  readonly #lines: LineSplitter;

  constructor(sink: Sink) {
    this.#lines = new LineSplitter((line) => {
      const answer = call(sink, line);
      if (answer instanceof Promise) this.#answers.push(answer);
    });
  }

  /** Answers a promise while a line is not taken. */
  push(bytes: Uint8Array): Promise<unknown> | undefined {
    this.#lines.push(bytes);
    if (this.#answers.length === 0) return undefined;
    return Promise.all(this.#answers.splice(0));
  }
}

/**
 * Boots a machine in this process.
 * @throws UsageError, MachineError: see `boot`
 */
export async function bootHere(options: BootOptions, log: Sink): Promise<Backend> {
  const plan = planOf(options);
  const onConsole =
    options.onConsole ?? consoleWriter((text) => process.stdout.write(text), process.stdout.isTTY);
  const onPanic = options.onPanic ?? ((text) => process.stderr.write(text));
  const onKernel = options.onKernel ?? (() => {});
  const kernelText = new Tail();
  const kernelConsole = new KernelConsole(
    (part) => {
      // A panic may tell of what a guest called its functions.
      const text = visibleLines(part);
      kernelText.push(text);
      call(onKernel, text);
    },
    (record) => {
      const image = images.imageOf(record.image);
      void call(
        log,
        JSON.stringify({ level: LOG_ERROR, process: record.process, text: crashText(record, image) }),
      );
    },
  );
  const lifetime = new Lifetime();
  const control = new Control(
    lifetime,
    (bytes) => machine.feed(PortNumber.CONTROL, bytes),
    (message) => void call(log, JSON.stringify({ level: 40, process: "init", text: message })),
  );
  const consoleOutput = new LineOutput(onConsole);
  const logOutput = new LineOutput(log);
  const controlLines = new LineSplitter((line) => control.take(line));
  const input =
    options.onInput === undefined
      ? null
      : new ConsoleInput(
          options.onInput,
          (bytes) => machine.feed(PortNumber.CONSOLE, bytes),
          () => machine.close(PortNumber.CONSOLE),
        );
  let here: MachineHere | null = null;
  const hooks: MachineHooks = {
    coreProgram: plan.traceKiB === 0 ? CORE_PROGRAM : TRACED_CORE_PROGRAM,
    chipsetProgram: CHIPSET_PROGRAM,
    inspectProgram: INSPECT_PROGRAM,
    powered: inRange("powered cores", options.poweredCores ?? plan.cores, 1, plan.cores),
    onOutput(port, bytes) {
      if (port === PortNumber.CONSOLE) return consoleOutput.push(bytes);
      if (port === PortNumber.LOG) return logOutput.push(bytes);
      if (port === PortNumber.CONTROL) controlLines.push(bytes);
      else if (port === PortNumber.BRIDGE) here?.onBridge(bytes);
      else kernelConsole.push(bytes);
      return undefined;
    },
    onInputWanted(port) {
      if (port === PortNumber.CONSOLE) input?.want();
    },
    onMachineCheck(core, death) {
      call(
        onKernel,
        `machine check: core ${core} ${DEATHS[death] ?? "died"}; a new worker takes its place\n`,
      );
    },
    whyNoTakeover,
    describe: dump,
  };
  const machine = await fromHost(() => new Machine(plan, hooks));
  const images = new LoadedImages(machine);
  for (const image of loadServerImages()) load(machine, image);
  const poweredNs = nowNs();
  const ended = machine.run().then(async (end): Promise<MachineReport> => {
    lifetime.end(
      end.panicked
        ? new MachineError("the kernel panicked", ExitStatus.PANIC, kernelText.text)
        : new MachineError(end.refusal?.message ?? "the machine was halted", end.status),
    );
    // A panic is never silent: whoever does not listen to the kernel's line gets it here.
    if (end.panicked && options.onKernel === undefined) call(onPanic, kernelText.text);
    if (end.panicked && options.lastMoments !== undefined)
      call(options.onKernel ?? onPanic, `${await keepLastMoments(options.lastMoments, machine.memory)}\n`);
    return reportOf(end);
  });
  if (options.onMachine !== undefined)
    call(options.onMachine, { memory: machine.memory, cores: plan.cores, ready: control.ready, ended });
  await Promise.race([control.ready, ended]);
  lifetime.check();
  here = new MachineHere(
    machine,
    images,
    ended,
    control,
    lifetime,
    initStartedNs(machine.memory) - poweredNs,
  );
  return here;
}

async function keepLastMoments(program: URL, memory: PhysicalMemory): Promise<string> {
  const { default: keep } = (await import(program.href)) as { readonly default: LastMoments };
  return keep(memory, true);
}

class MachineHere implements Backend {
  /** Runs that init was not asked for yet, and whether they are to be ended. */
  readonly #starting = new Map<number, { isKilled: boolean; readonly loaded: Promise<void> }>();

  constructor(
    private readonly machine: Machine,
    private readonly images: LoadedImages,
    readonly ended: Promise<MachineReport>,
    private readonly control: Control,
    readonly lifetime: Lifetime,
    readonly powerToInitNs: number,
  ) {}

  get cores(): number {
    return this.machine.plan.cores;
  }

  get memoryMiB(): number {
    return this.machine.plan.memoryMiB;
  }

  get pid(): number {
    return process.pid;
  }

  get memory(): PhysicalMemory {
    return this.machine.memory;
  }

  async run(pid: number, image: Image, request: RunRequest): Promise<RunResult> {
    const { name, handed, labelled } = request;
    const { args, text } = placeArguments(name, request.args, handed.length);
    let hasLoaded!: () => void;
    const loaded = new Promise<void>((resolve) => {
      hasLoaded = resolve;
    });
    const start = { isKilled: false, loaded };
    this.#starting.set(pid, start);
    const others = handed.flatMap((one) => ("deposit" in one ? [] : [one, ...assetsOf(one)]));
    const used = await this.images
      .use([{ image, text }, ...[...assetsOf(image), ...others].map((other) => ({ image: other, text: "" }))])
      .finally(() => {
        this.#starting.delete(pid);
        hasLoaded();
      });
    try {
      if (start.isKilled) return describeExit(KILLED, image);
      const [own, ...loaded] = used.map(({ number }) => number);
      const assets = loaded.slice(0, assetsOf(image).length);
      const images = loaded.slice(assets.length);
      const { cores, priority, memoryBits, debug, console, adopts, isBridge: bridge } = request;
      const threads = request.threads ?? Math.max(MIN_DEFAULT_THREADS, this.memoryMiB * 2);
      const given = handed.map((one) =>
        "deposit" in one ? one : { image: images.shift()!, assets: images.splice(0, assetsOf(one).length) },
      );
      const asked = {
        image: own,
        handed: given,
        assets,
        console,
        name,
        args,
        cores,
        priority,
        memoryBits,
        threads,
        debug,
        labelled,
        adopts,
        bridge,
      };
      return describeExit(await this.control.run(pid, asked), image);
    } finally {
      this.images.release(used);
    }
  }

  async give(to: number, slot: number, what: GivenThing): Promise<void> {
    // Init is to know of them by then: a run whose images are loaded has asked for itself before the next turn.
    for (const run of "process" in what ? [to, what.process] : [to]) await this.#starting.get(run)?.loaded;
    await new Promise((resolve) => setImmediate(resolve));
    if ("process" in what) return this.control.give(to, slot, what);
    const used = await this.images.use([{ image: what.image, text: argumentsText(what.args) }]);
    try {
      await this.control.give(to, slot, { image: used[0]!.number });
    } finally {
      this.images.release(used);
    }
  }

  kill(pid: number): void {
    const start = this.#starting.get(pid);
    if (start === undefined) this.control.kill(pid);
    else start.isKilled = true;
  }

  keepAlive(wanted: boolean): void {
    if (!wanted)
      throw new UsageError(
        'unref: a machine in this process keeps it: halt the machine, or boot it with process: "own"',
      );
  }

  onBridge: (bytes: Uint8Array) => void = () => {};

  sendBridge(bytes: Uint8Array): void {
    this.machine.feed(PortNumber.BRIDGE, bytes);
  }

  feed(bytes: Uint8Array): void {
    this.machine.feed(PortNumber.CONSOLE, bytes);
  }

  closeInput(): void {
    this.machine.close(PortNumber.CONSOLE);
  }

  inspect(): Promise<MachineState> {
    return this.#ask((management) => management.state()) as Promise<MachineState>;
  }

  async standstill(hasIdleBridge: boolean): Promise<Standstill | null> {
    const seen = standstill(this.machine.memory, this.cores, hasIdleBridge);
    return seen === null || expectsExpiry(await this.inspect()) ? null : seen;
  }

  plug(core: number): Promise<void> {
    return this.lifetime.during(() => fromHost(() => this.machine.plug(core)));
  }

  unplug(core: number): Promise<void> {
    return this.#ask((management) => management.unplug(core));
  }

  #ask<Answer>(ask: Parameters<typeof this.machine.manage<Answer>>[0]): Promise<Answer> {
    return this.lifetime.during(() => fromHost(() => this.machine.manage(ask)));
  }

  killService(service: string): Promise<void> {
    return this.control.killService(service);
  }

  halt(status: number): void {
    this.machine.halt(status);
  }
}

function reportOf({ status, panicked, reports }: MachineEnd): MachineReport {
  return { status, panicked, cores: reports as readonly CoreReport[] };
}

/** How a program ended that was ended before it ran. */
const KILLED = Object.freeze({
  ...{ state: LifeState.KILLED, status: 0, line: 0, column: 0, callers: [], fault: "" },
});

function describeExit(exit: Omit<ExitEvent, "event" | "id">, image: Image): RunResult {
  if (exit.state === LifeState.EXITED) return { status: exit.status, state: "exited", fault: "", stack: [] };
  return {
    status: ExitStatus.FAILED,
    state: exit.state === LifeState.KILLED ? "killed" : "faulted",
    ...describeFault(image, exit.fault || lifeName(exit.state), [exit.line, exit.column, ...exit.callers]),
  };
}

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
