/**
 * The host as one of a machine's peers: it calls what guests serve, and serves what guests call, through the bridge. That is
 * a program on the machine, which runs from the first time that it is needed; if it ends, it is started again for what
 * the host serves, or when the host next calls.
 */
import { Err, MAX_NAME_BYTES } from "@capos/abi";
import { IpcError, type Methods, type Protocol } from "@capos/libos";
import { FieldKind } from "@capos/libos/wire";
import { Frame, FrameReader, loadBridgeImage, MARK, messageAt } from "@capos/servers";
import type { Backend } from "../backend.js";
import { report } from "../callbacks.js";
import { MachineError, UsageError } from "../errors.js";
import { refuseUnknown } from "../known-options.js";
import { inRange } from "../ranges.js";
import type { RunRequest } from "../run-request.js";
import { makeClient, type Target, targetOf } from "./client.js";
import { Reference } from "./reference.js";
import { type AnyHandler, Serving } from "./serving.js";
import { Session } from "./session.js";
import type { ClientOptions, PeerClient, PeerHandlers, ServeOptions } from "./types.js";

/** Beside the services, so that a call has two cores to cross at most. Just below them. */
const BRIDGE_RUN: RunRequest = Object.freeze({
  name: "bridge",
  args: [],
  cores: [0],
  priority: 149,
  memoryBits: 20,
  threads: 160,
  debug: false,
  handed: [],
  console: null,
  labelled: false,
  adopts: false,
  isBridge: true,
});

const DEFAULT_REGISTERED_MS = 5000;
const DEFAULT_SERVED = 64;
const MAX_SERVED = 256;
const MAX_WAIT_MS = 2 ** 31 - 1;
/** Between two looks whether a name is registered. */
const LOOK_MS = 10;

export class Peer {
  readonly #reader = new FrameReader();
  readonly #servings = new Map<number, Serving>();
  /** Clients of the application's that are not closed. */
  #clients = 0;
  #session: Session | null = null;
  /** The number of the bridge's run, and its end. */
  #pid = 0;
  #ended: Promise<unknown> = Promise.resolve();
  /** Settled when the bridge has said that it has begun. */
  #begun: Promise<void> = Promise.resolve();
  #onHello: () => void = () => {};
  #nextServing = 1;
  #nextDeposit = 1;

  constructor(
    private readonly backend: Backend,
    /** Gives a number for a run. */
    private readonly takePid: () => number,
  ) {}

  client<M extends Methods>(
    protocol: Protocol<M>,
    of: string | Reference,
    options: ClientOptions,
  ): PeerClient<M> {
    refuseUnknown("client", options, ["signal", "timeoutMs", "outstanding", "registeredMs"]);
    if (of instanceof Reference) return this.#makeClient(protocol, targetOf(of), options);
    checkName(of);
    const waitMs = inRange("registeredMs", options.registeredMs ?? DEFAULT_REGISTERED_MS, 0, MAX_WAIT_MS);
    return this.#makeClient(protocol, this.#named(of, waitMs), options);
  }

  /** Whether the bridge runs. */
  get hasBridge(): boolean {
    return this.#session !== null;
  }

  /** Whether the host may call guests, or owes them answers. */
  get isEngaged(): boolean {
    return this.#servings.size > 0 || this.#clients > 0;
  }

  /** Makes a client that counts until it is closed. */
  #makeClient<M extends Methods>(
    protocol: Protocol<M>,
    target: Target,
    options: ClientOptions,
  ): PeerClient<M> {
    let isOpen = true;
    const close = (): void => {
      if (isOpen) this.#clients--;
      isOpen = false;
      target.close();
    };
    const client = makeClient(protocol, { ...target, close }, options);
    this.#clients++;
    return client;
  }

  async serve<M extends Methods>(
    protocol: Protocol<M>,
    handlers: PeerHandlers<M>,
    options: ServeOptions,
  ): Promise<Serving> {
    refuseUnknown("serve", options, ["name", "outstanding"]);
    if (options.name !== undefined) checkName(options.name);
    const outstanding = inRange("outstanding", options.outstanding ?? DEFAULT_SERVED, 1, MAX_SERVED);
    for (const { name, needs, request, reply } of protocol.methods) {
      const isAboutObjects = [request, reply].some(({ fields }) =>
        fields.some(({ kind }) => kind === FieldKind.OWN),
      );
      if (needs !== 0 || isAboutObjects)
        throw new UsageError(`${protocol.name}.${name}: the host has no objects to serve, only a guest has`);
      if (typeof (handlers as Record<string, unknown>)[name] !== "function")
        throw new UsageError(`${protocol.name}.${name}: a handler is needed`);
    }
    const number = this.#nextServing++;
    const serving = new Serving(
      options.name ?? "",
      protocol.methods,
      protocol.description,
      handlers as unknown as Readonly<Record<string, AnyHandler>>,
      outstanding,
      () => {
        this.#servings.delete(number);
        this.#session?.send([Frame.UNSERVE, number]);
      },
    );
    const session = await this.#open();
    this.#servings.set(number, serving);
    try {
      await this.#register(session, number, serving);
      return serving;
    } catch (error) {
      this.#servings.delete(number);
      throw error;
    }
  }

  /** Ends the bridge as a fault would. @throws UsageError if it does not run */
  async kill(): Promise<void> {
    if (this.#session === null) throw new UsageError('no service "bridge" runs');
    await this.#begun;
    this.backend.kill(this.#pid);
    await this.#ended;
  }

  /** A target that is looked up when it is first needed, and again when the bridge was started anew. */
  #named(name: string, waitMs: number): Target {
    let known: Promise<Reference> | null = null;
    let isClosed = false;
    return {
      reference: async (signal) => {
        if (isClosed) throw new IpcError(Err.BAD_CAP, name, "the client is closed");
        const before = known;
        const reference = await before?.catch(() => null);
        if (reference !== null && reference !== undefined && !reference.session.isOver) return reference;
        if (known === before) {
          known = this.#lookup(name, waitMs);
          known.catch(() => {});
        }
        return orAborted(known!, signal);
      },
      close: () => {
        isClosed = true;
        known?.then(
          (reference) => reference.close(),
          () => {},
        );
      },
    };
  }

  async #lookup(name: string, waitMs: number): Promise<Reference> {
    const session = await this.#open();
    const untilMs = performance.now() + waitMs;
    for (;;) {
      const { words, capabilities } = await session.request((request) => [
        Frame.LOOKUP,
        request,
        ...codesOf(name),
      ]);
      if (words[0] === Err.OK) return new Reference(session, capabilities[0]!.reference);
      if (words[0] !== Err.NOT_FOUND || performance.now() >= untilMs)
        throw new IpcError(
          words[0]!,
          name,
          words[0] === Err.NOT_FOUND ? "nobody has registered the name" : "",
        );
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  async #register(session: Session, number: number, serving: Serving): Promise<void> {
    const { name } = serving;
    const { words, capabilities } = await session.request((request) => [
      Frame.SERVE,
      request,
      number,
      ...codesOf(name),
    ]);
    if (words[0] !== Err.OK) throw new IpcError(words[0]!, name === "" ? "serve" : `serve ${name}`);
    serving.open(new Reference(session, capabilities[0]!.reference));
  }

  /**
   * Leaves with init what a program is to be given at its start, until `withdraw`; gives the number that a run names it by.
   * @throws IpcError: `BAD_CAP` for a reference that is closed or none of this machine's, `NO_RESOURCE`, `PEER_DIED`
   */
  async deposit(reference: Reference): Promise<number> {
    reference.check();
    if (reference.session !== this.#session) throw new IpcError(Err.BAD_CAP, "handed");
    const number = this.#nextDeposit++;
    const { words } = await reference.session.request((request) => [
      Frame.DEPOSIT,
      request,
      number,
      reference.handle,
    ]);
    if (words[0] !== Err.OK) throw new IpcError(words[0]!, "handed");
    return number;
  }

  withdraw(deposit: number): void {
    this.#session?.send([Frame.WITHDRAW, deposit]);
  }

  /** The bridge's life at the moment, begun if there is none. @throws MachineError; UsageError if there is no room for it */
  async #open(): Promise<Session> {
    await this.backend.lifetime.open();
    if (this.#session === null) this.#begin();
    const session = this.#session!;
    await this.#begun;
    return session;
  }

  #begin(): void {
    const session = new Session((bytes) => this.backend.sendBridge(bytes));
    this.#session = session;
    this.#reader.reset();
    this.backend.onBridge = (bytes) => this.#take(session, bytes);
    let hasBegun = false;
    this.#begun = new Promise((resolve, reject) => {
      this.#onHello = () => {
        hasBegun = true;
        this.backend.sendBridge(new Uint8Array(MARK));
        resolve();
      };
      const ended = (failure?: unknown): void => {
        session.end(failure);
        if (this.#session === session) this.#session = null;
        reject(failure ?? new IpcError(Err.PEER_DIED, "bridge"));
        if (hasBegun && !(failure instanceof MachineError)) void this.#serveAgain();
      };
      this.#pid = this.takePid();
      this.#ended = this.backend.run(this.#pid, loadBridgeImage(), BRIDGE_RUN).then(() => ended(), ended);
    });
    this.#begun.catch(() => {});
  }

  /** The bridge has ended, and with it what the host serves: that goes on with the next. */
  async #serveAgain(): Promise<void> {
    // What is served from now on is registered by who serves it.
    const before = [...this.#servings];
    if (before.length === 0) return;
    try {
      const session = await this.#open();
      for (const [number, serving] of before)
        if (this.#servings.has(number)) await this.#register(session, number, serving);
    } catch (error) {
      if (!(error instanceof MachineError)) report(error);
    }
  }

  #take(session: Session, bytes: Uint8Array): void {
    this.#reader.push(bytes);
    for (let frame = this.#reader.next(); frame !== null; frame = this.#reader.next()) {
      const [kind, subject, served] = frame as [Frame, number, number];
      if (kind === Frame.HELLO) this.#onHello();
      else if (kind === Frame.RESULT) session.take(subject, messageAt(frame, 2)!);
      else if (kind === Frame.GONE) session.gone(subject);
      else if (kind === Frame.REQUEST) {
        const message = messageAt(frame, 3)!;
        const serving = this.#servings.get(served);
        if (serving !== undefined) void serving.take(session, subject, message);
        else session.answer(subject, { capabilities: [], words: [Err.REVOKED] });
      }
    }
  }
}

function codesOf(name: string): number[] {
  return Array.from({ length: name.length }, (_, i) => name.charCodeAt(i));
}

function checkName(name: string): void {
  const bytes = typeof name === "string" ? new TextEncoder().encode(name).length : 0;
  if (bytes < 1 || bytes > MAX_NAME_BYTES)
    throw new UsageError(`name: a text of 1 to ${MAX_NAME_BYTES} bytes is needed`);
}

/** Waits for what others may wait for too. @throws the signal's reason */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  signal.throwIfAborted();
  let leave!: () => void;
  const aborted = new Promise<never>((_, reject) => {
    leave = () => reject(signal.reason);
    signal.addEventListener("abort", leave);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", leave);
  }
}
