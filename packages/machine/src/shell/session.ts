/**
 * The host's side of a shell: the guest that acts, started for it, and what only a host can do: load images, read memory,
 * pass on the log.
 *
 * The guest has what it was given when it started, and what init gives it since: an image for each program that it is to
 * start, and capabilities to programs that others started. What it was not given, nobody does in its place.
 */
import { basename } from "node:path";
import { Err, LifeState } from "@capos/abi";
import { IpcError, type Protocol } from "@capos/libos";
import { FieldKind, type Message, type Values } from "@capos/libos/wire";
import {
  loadShellImage,
  MAX_ASSETS,
  READ_ONLY_BITS,
  ShellHost,
  Shell as ShellProtocol,
} from "@capos/servers";
import type { Backend, GivenThing } from "../backend.js";
import { call } from "../callbacks.js";
import { ExitStatus, MachineError, UsageError } from "../errors.js";
import { assetsOf } from "../images.js";
import type { RunResult } from "../options.js";
import { describe, makeClient, targetOf } from "../peer/client.js";
import { OwnConsole } from "../peer/console-streams.js";
import type { Peer } from "../peer/peer.js";
import type { Reference } from "../peer/reference.js";
import type { PeerClient } from "../peer/types.js";
import { inRange } from "../ranges.js";
import { shortName } from "../short-name.js";
import type { LogTaps } from "./log-taps.js";
import type { Shell, ShellEnd, ShellEvents, ShellOptions, ShellStart, ShellView } from "./types.js";

/** Below the services, above what it starts unless told otherwise. */
const PRIORITY = 140;
const MEMORY_SHARE = 8;
/** A quarter of the thread numbers that there are for each MiB. */
const THREADS_PER_MIB = 4;
const BITS_PER_MIB = 20;
const WORD_BYTES = 4;
/** As many as the guest remembers. */
const MAX_REMEMBERED = 64;
/** How long a name is waited for that a program of the shell's may yet register, and how often it is looked for. */
const REGISTERED_MS = 2000;
const LOOK_MS = 10;

/** What a machine lends to its shells. */
export interface ShellMachine {
  readonly backend: Backend;
  readonly peer: Peer;
  readonly taps: LogTaps;
  /** Runs that are programs: not the bridge, no shell. */
  readonly programs: ReadonlySet<number>;
  takeRun(): number;
}

/** A program that the guest has a capability to. */
interface Program {
  readonly name: string;
  /** Whether the shell has started it. */
  readonly isOwn: boolean;
  readonly ended: Promise<ShellEnd>;
  hasEnded: boolean;
}

type Client = PeerClient<typeof ShellProtocol extends Protocol<infer M> ? M : never>;

/** Capabilities in what is shown. */
const A_CAPABILITY = "(capability)";

export class ShellSession implements Shell {
  readonly lost: Promise<string>;
  /** Resolves when it has ended, however that came about. */
  readonly over: Promise<void>;
  readonly #programs = new Map<number, Program>();
  /** Runs that the guest was given a capability to. */
  readonly #given = new Set<number>();
  #turn = 0;
  #isClosed = false;

  private constructor(
    private readonly host: ShellMachine,
    private readonly run: number,
    private readonly running: Promise<RunResult>,
    private readonly door: Reference,
    private readonly options: ShellOptions,
    private readonly events: ShellEvents,
  ) {
    this.over = running.then(
      () => {},
      () => {},
    );
    this.lost = this.#whyLost();
  }

  /** @throws UsageError if the machine has no room for it; MachineError */
  static async open(host: ShellMachine, options: ShellOptions, events: ShellEvents): Promise<ShellSession> {
    const { backend, peer } = host;
    const run = host.takeRun();
    // It hands its door over by what it is given at its start.
    let isReady!: (door: Reference) => void;
    const ready = new Promise<Reference>((resolve) => {
      isReady = resolve;
    });
    using serving = await peer.serve(ShellHost, { ready: ({ door }) => isReady(door) }, {});
    const deposit = await peer.deposit(serving.reference);
    const share = Math.floor(Math.log2(backend.memoryMiB / MEMORY_SHARE)) + BITS_PER_MIB;
    const running = backend.run(run, loadShellImage(), {
      ...{ name: "shell", args: [], cores: [0], priority: PRIORITY, debug: false },
      threads: backend.memoryMiB * THREADS_PER_MIB,
      ...{ handed: [{ deposit }], labelled: false, adopts: false, console: null, isBridge: false },
      memoryBits: options.readOnly ? READ_ONLY_BITS : (options.memoryBits ?? share),
    });
    const ended = running.then(({ fault }): never => {
      throw new MachineError(fault === "" ? "the shell's guest ended" : fault, ExitStatus.FAILED);
    });
    let door: Reference;
    try {
      door = await Promise.race([ready, ended]);
    } finally {
      peer.withdraw(deposit);
    }
    ended.catch(() => {});
    const session = new ShellSession(host, run, running, door, options, events);
    await session.#giveRunning();
    return session;
  }

  async #whyLost(): Promise<string> {
    const how = await this.running.then(
      ({ state, fault }) =>
        state === "faulted" ? fault : `the shell's guest was ${state === "exited" ? "ended" : state}`,
      () => "",
    );
    this.host.taps.remove(this.events.log);
    return this.#isClosed ? new Promise<never>(() => {}) : how;
  }

  /** A client with turns of its own: what waits for an end is in nobody's way. */
  #client(): Client {
    return makeClient(ShellProtocol, targetOf(this.door), {}) as Client;
  }

  async names(): Promise<string[]> {
    const client = this.#client();
    const names: string[] = [];
    for (;;) {
      const next = await client.name({ index: names.length }).catch(unless(Err.NOT_FOUND, null));
      if (next === null) return names;
      names.push(next.name);
    }
  }

  async describe(name: string, signal?: AbortSignal): Promise<string> {
    using reference = await this.#lookup(name, signal);
    return (await this.#protocolOf(name, reference, signal)).description;
  }

  async call(name: string, method: string, values: Values, signal?: AbortSignal): Promise<Values> {
    const given: Reference[] = [];
    using reference = await this.#lookup(name, signal);
    const protocol = await this.#protocolOf(name, reference, signal);
    const entry = protocol.methods.find((one) => one.name === method);
    if (entry === undefined) throw new UsageError(`${name} has no method ${method}`);
    const client = makeClient(protocol, targetOf(reference), {}) as unknown as Readonly<
      Record<string, (request: Values, options: { signal?: AbortSignal }) => Promise<Values>>
    >;
    try {
      const request = await this.#requestOf(entry.request, values, given);
      const { [method]: ask } = client;
      if (ask === undefined) throw new UsageError(`${name}.${method} is for typed capabilities alone`);
      return shown(await ask(request, signal === undefined ? {} : { signal }));
    } catch (error) {
      if (error instanceof RangeError) throw new UsageError(error.message);
      throw asFailure(error);
    } finally {
      for (const one of given) one.close();
    }
  }

  /** What a method is given, from what was typed. */
  async #requestOf(message: Message, values: Values, given: Reference[]): Promise<Values> {
    const names = message.fields.map(({ name }) => name);
    for (const name of Object.keys(values))
      if (!names.includes(name))
        throw new UsageError(
          `${message.title}: there is no field ${name}, ${names.length === 0 ? "it has none" : `there are ${names.join(", ")}`}`,
        );
    const request: Values = {};
    for (const { name, kind } of message.fields) {
      const value = Object.hasOwn(values, name) ? values[name] : undefined;
      if (kind === FieldKind.F64 && typeof value === "string") request[name] = Number(value);
      else if (kind === FieldKind.CAPABILITY || kind === FieldKind.OWN) {
        if (typeof value !== "string")
          throw new UsageError(
            `${message.title}: ${name} must be a registered name, for what that stands for`,
          );
        const reference = await this.#lookup(value);
        given.push(reference);
        request[name] = reference;
      } else request[name] = value;
    }
    return request;
  }

  /** What a name stands for. A program that was just started is given some time to register it. */
  async #lookup(name: string, signal?: AbortSignal): Promise<Reference> {
    const untilMs = performance.now() + REGISTERED_MS;
    for (;;) {
      try {
        return (await this.#client().lookup({ name })).endpoint;
      } catch (error) {
        const isUnknown =
          error instanceof RangeError || (error instanceof IpcError && error.code === Err.NOT_FOUND);
        if (!isUnknown) throw asFailure(error);
        if (!this.#mayRegister || performance.now() >= untilMs || signal?.aborted === true)
          throw new MachineError(`nobody has registered ${name}`, ExitStatus.FAILED);
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
    }
  }

  get #mayRegister(): boolean {
    return [...this.#programs.values()].some(({ isOwn, hasEnded }) => isOwn && !hasEnded);
  }

  async #protocolOf(name: string, reference: Reference, signal: AbortSignal | undefined): Promise<Protocol> {
    try {
      return await describe(reference, signal);
    } catch (error) {
      const isMute =
        error instanceof IpcError && (error.code === Err.UNSUPPORTED || error.code === Err.RANGE);
      if (isMute) throw new MachineError(`${name} does not say what it serves`, ExitStatus.FAILED);
      throw asFailure(error);
    }
  }

  async start({ image, args, core, priority, memoryBits }: ShellStart): Promise<number> {
    const { peer, backend } = this.host;
    const client = this.#client();
    if (core !== null) inRange("core", core, 0, backend.cores - 1);
    if (assetsOf(image).length > MAX_ASSETS)
      throw new UsageError(
        `${image.name} imports more than ${MAX_ASSETS} images, which is the limit at a shell`,
      );
    const [slot, ...assets] = await this.#putAll([
      { image, args },
      ...assetsOf(image).map((asset) => ({ image: asset, args: [] })),
    ]);
    const name = shortName(basename(image.name));
    const own = new OwnConsole(peer);
    const reference = await own.serve();
    void own.streams.writable.close().catch(() => {});
    const shown = this.#show(own.streams.readable);
    try {
      const console = { capability: reference };
      const placed = { core: core ?? this.#nextCore(backend.cores), priority, memoryBits };
      const { pid } = await client.start({ slot: slot!, assets, name, console, ...placed });
      this.#follow(pid, name, async () => {
        own.end();
        await shown;
      });
      return pid;
    } catch (error) {
      own.end();
      if (error instanceof IpcError && error.code === Err.NO_MEMORY)
        throw new MachineError(
          "this shell has not enough memory left: stop a program, or give it more (shell --untyped)",
          ExitStatus.FAILED,
        );
      throw asFailure(error);
    }
  }

  /** Passes on what a program prints, as fast as it is taken. */
  async #show(lines: AsyncIterable<string>): Promise<void> {
    for await (const line of lines) await call(this.events.console, line);
  }

  #nextCore(cores: number): number {
    return cores === 1 ? 0 : 1 + (this.#turn++ % (cores - 1));
  }

  /** @param onEnd for a program that the shell has started; null for another's */
  #follow(pid: number, name: string, onEnd: (() => Promise<void>) | null): void {
    const ended = this.#client()
      .ended({ pid })
      .then(async ({ state, status, line, column, fault, callers }): Promise<ShellEnd> => {
        // Behind all that it has printed.
        await onEnd?.();
        const words = new Int32Array(
          Uint8Array.from(callers).buffer,
          0,
          Math.floor(callers.length / WORD_BYTES),
        );
        const how =
          state === LifeState.EXITED ? "exited" : state === LifeState.FAULTED ? "faulted" : "killed";
        return { pid, name, state: how, status, fault, places: [line, column, ...words] };
      });
    const program: Program = { name, isOwn: onEnd !== null, ended, hasEnded: false };
    this.#programs.set(pid, program);
    void ended
      .then(
        (end) => void (onEnd !== null && call(this.events.ended, end)),
        () => onEnd?.(),
      )
      .finally(() => {
        program.hasEnded = true;
        this.#forgetOld();
      });
  }

  /** Of programs that have ended the latest are remembered. */
  #forgetOld(): void {
    const over = [...this.#programs].filter(([, { hasEnded }]) => hasEnded);
    for (const [pid] of over.slice(0, -MAX_REMEMBERED)) this.#programs.delete(pid);
  }

  /** Has init put things into slots of the guest's: all, or none. */
  async #putAll(things: readonly GivenThing[]): Promise<number[]> {
    const slots: number[] = [];
    try {
      for (const thing of things) slots.push(await this.#put(thing));
      return slots;
    } catch (error) {
      for (const slot of slots)
        await this.#client()
          .discard({ slot })
          .catch(() => {});
      throw error;
    }
  }

  /** Has init put something into a slot of the guest's. */
  async #put(what: GivenThing): Promise<number> {
    const client = this.#client();
    const { slot } = await client.slot().catch((error: unknown) => {
      throw asFailure(error);
    });
    try {
      await this.host.backend.give(this.run, slot, what);
      return slot;
    } catch (error) {
      await client.discard({ slot }).catch(() => {});
      throw error;
    }
  }

  /** Gives the guest capabilities to programs that others have started. */
  async #giveRunning(): Promise<void> {
    if (this.options.readOnly) return;
    for (const run of this.host.programs) {
      if (this.#given.has(run)) continue;
      this.#given.add(run);
      try {
        const slot = await this.#put({ process: run });
        this.#follow((await this.#client().adopt({ slot })).pid, "", null);
      } catch {
        // It has ended.
      }
    }
  }

  async #programOf(pid: number): Promise<Program> {
    await this.#giveRunning();
    const program = this.#programs.get(pid);
    if (program === undefined)
      throw new MachineError(`this shell has no capability to process ${pid}`, ExitStatus.FAILED);
    return program;
  }

  async end(pid: number): Promise<void> {
    await this.#programOf(pid);
    try {
      await this.#client().end({ pid });
    } catch (error) {
      throw asFailure(error);
    }
  }

  async wait(pid: number): Promise<ShellEnd> {
    const { ended } = await this.#programOf(pid);
    return ended.catch((error: unknown) => {
      throw asFailure(error);
    });
  }

  async look(): Promise<ShellView> {
    await this.#giveRunning();
    const state = await this.host.backend.inspect();
    const running = new Set(state.processes.map(({ number }) => number));
    const known = [...this.#programs].filter(([pid]) => running.has(pid));
    return {
      state,
      mayEnd: known.map(([pid]) => pid),
      started: known.filter(([, { isOwn }]) => isOwn).map(([pid]) => pid),
    };
  }

  async watchLog(on: boolean): Promise<void> {
    const { taps } = this.host;
    if (on) taps.add(this.events.log);
    else taps.remove(this.events.log);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.host.taps.remove(this.events.log);
    this.host.backend.kill(this.run);
    await this.over;
    this.door.close();
  }
}

/** Answers a value for one error of a call. */
function unless<T>(code: Err, value: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof IpcError && error.code === code) return value;
    throw asFailure(error);
  };
}

/** An error as people are told it. */
function asFailure(error: unknown): unknown {
  if (!(error instanceof IpcError)) return error;
  const isDenied = error.code === Err.DENIED && error.message.startsWith("shell.");
  const message = isDenied
    ? "this shell may only look: it was given no memory to start programs from"
    : error.message;
  return new MachineError(message, ExitStatus.FAILED);
}

/** Values as they can be told in JSON. What came with them is given up. */
function shown(values: Values): Values {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, shownValue(value)]));
}

function shownValue(value: unknown): unknown {
  if (typeof value === "number")
    return Number.isFinite(value) && !Object.is(value, -0) ? value : Object.is(value, -0) ? 0 : String(value);
  if (Array.isArray(value)) return value.map(shownValue);
  if (typeof value !== "object" || value === null) return value;
  (value as Disposable)[Symbol.dispose]();
  return A_CAPABILITY;
}
