/** One life of the bridge: what the host has asked it, and whether it still runs. What it holds for the host ends with it. */
import { Err } from "@capos/abi";
import { IpcError } from "@capos/libos";
import { capabilitiesAndWords, encodeFrame, Frame, type FramedCapability } from "@capos/servers";
import { OpenRequest } from "./open-request.js";

/** Between two looks whether callers still wait, in milliseconds. */
const LOOK_MS = 50;

/** A message without its protocol. */
export interface RawMessage {
  readonly capabilities: readonly FramedCapability[];
  readonly words: readonly number[];
}

interface Waiter {
  resolve(message: RawMessage): void;
  reject(error: unknown): void;
}

export class Session {
  readonly #waiting = new Map<number, Waiter>();
  /** Guests' requests that are not answered. */
  readonly #open = new Map<number, OpenRequest>();
  /** Those of them whose handlers want to know when nobody waits any more. */
  readonly #watched = new Set<number>();
  #look: NodeJS.Timeout | undefined;
  #nextRequest = 1;
  #failure: unknown = null;

  /** @param write takes bytes for the bridge */
  constructor(private readonly write: (bytes: Uint8Array) => void) {}

  get isOver(): boolean {
    return this.#failure !== null;
  }

  /** Asks for something, and waits for its result; when the signal aborts it is not wanted any more. */
  async request(
    frame: (request: number) => readonly number[],
    signal: AbortSignal | undefined = undefined,
  ): Promise<RawMessage> {
    if (this.#failure !== null) throw this.#failure;
    signal?.throwIfAborted();
    const request = this.#nextRequest++;
    const cancel = (): void => {
      this.send([Frame.CANCEL, request]);
      this.#waiting.get(request)?.reject(signal!.reason);
    };
    try {
      return await new Promise<RawMessage>((resolve, reject) => {
        this.#waiting.set(request, { resolve, reject });
        signal?.addEventListener("abort", cancel);
        this.send(frame(request));
      });
    } finally {
      signal?.removeEventListener("abort", cancel);
      this.#waiting.delete(request);
    }
  }

  /** Makes a call through a reference. */
  call(reference: number, message: RawMessage, signal?: AbortSignal): Promise<RawMessage> {
    const { capabilities, words } = message;
    return this.request(
      (request) => [Frame.CALL, request, reference, ...capabilitiesAndWords(capabilities, words)],
      signal,
    );
  }

  /** A guest's request has come. @param title what it asks, for the reason if nobody waits any more */
  open(request: number, title: string): OpenRequest {
    const open = new OpenRequest(title, () => this.#watch(request));
    this.#open.set(request, open);
    return open;
  }

  /** The kernel tells no server that one of its callers is gone; that a saved reply is dead the bridge can see. */
  #watch(request: number): void {
    this.#watched.add(request);
    // The machine keeps the application, if anything does.
    this.#look ??= setInterval(() => this.send([Frame.LOOK]), LOOK_MS).unref();
  }

  /** The bridge has seen that nobody waits for an answer. */
  gone(request: number): void {
    this.#open.get(request)?.lose();
    this.#forget(request);
  }

  #forget(request: number): void {
    this.#open.delete(request);
    this.#watched.delete(request);
    if (this.#watched.size > 0) return;
    clearInterval(this.#look);
    this.#look = undefined;
  }

  /** Answers a guest's request. If nobody waits any more, that changes nothing. */
  answer(request: number, { capabilities, words }: RawMessage): void {
    this.#forget(request);
    this.send([Frame.ANSWER, request, ...capabilitiesAndWords(capabilities, words)]);
  }

  send(frame: readonly number[]): void {
    if (this.isOver) return;
    const bytes: number[] = [];
    encodeFrame(frame, bytes);
    this.write(new Uint8Array(bytes));
  }

  /** A result has come. What it brings for a request that is not wanted any more is given up. */
  take(request: number, message: RawMessage): void {
    const waiter = this.#waiting.get(request);
    if (waiter !== undefined) waiter.resolve(message);
    else this.drop(message.capabilities);
  }

  drop(capabilities: readonly FramedCapability[]): void {
    for (const { reference } of capabilities) this.send([Frame.DROP, reference]);
  }

  /** The bridge has ended: by itself, or with its machine, which `failure` says. */
  end(failure: unknown = new IpcError(Err.PEER_DIED, "bridge")): void {
    this.#failure ??= failure;
    for (const { reject } of this.#waiting.values()) reject(this.#failure);
    this.#waiting.clear();
    for (const [request, open] of this.#open) {
      open.end(this.#failure);
      this.#forget(request);
    }
  }
}
