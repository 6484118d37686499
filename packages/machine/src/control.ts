/**
 * The host's end of init's control port: one JSON object a line. Every request has an id, and waits for the answer
 * that has it too, or for the machine's end.
 */
import { LifeState } from "@capos/abi";
import { type ControlEvent, type ExitEvent, type GivenThing, MAX_REQUEST_BYTES } from "@capos/servers";
import { UsageError } from "./errors.js";
import type { Lifetime } from "./lifetime.js";

/** What a request is answered by, unless by an error. */
type Answer = Extract<ControlEvent, { readonly event: "exit" | "done" }>;

/** Runs are numbered by whoever asks for them, from 1 on. */
const FIRST_OTHER_ID = 2 ** 52;

interface Waiter {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

export class Control {
  readonly #waiting = new Map<number, Waiter>();
  /** Runs that init was asked to end: one that has ended by itself meanwhile is not there to be ended. */
  readonly #killed = new Set<number>();
  /** Of requests that are no runs. */
  #nextId = FIRST_OTHER_ID;
  #ready!: () => void;
  /** Resolves when the services are up. */
  readonly ready = new Promise<void>((resolve) => {
    this.#ready = resolve;
  });

  constructor(
    private readonly lifetime: Lifetime,
    private readonly write: (bytes: Uint8Array) => void,
    /** Told of an error that answers no request. */
    private readonly onError: (message: string) => void,
  ) {}

  /** Runs a program to its end, under a number of its own. @throws UsageError if init refuses; MachineError */
  async run(id: number, request: object): Promise<ExitEvent> {
    return (await this.#request("run", id, request)) as ExitEvent;
  }

  /** Gives a run a capability. @throws UsageError if init or the kernel refuses; MachineError */
  async give(to: number, slot: number, what: GivenThing): Promise<void> {
    await this.#request("give", this.#nextId++, { to, slot, ...what });
  }

  /** Ends a run that was asked for. */
  kill(id: number): void {
    if (!this.#waiting.has(id) || this.#killed.has(id)) return;
    this.#killed.add(id);
    this.write(lineOf({ op: "kill", id }));
  }

  /** Ends a service as a fault would. @throws UsageError if none of that name runs; MachineError */
  async killService(service: string): Promise<void> {
    await this.#request("kill-service", this.#nextId++, { service });
  }

  async #request(op: string, id: number, request: object): Promise<Answer> {
    const line = lineOf({ op, id, ...request });
    if (line.length > MAX_REQUEST_BYTES)
      throw new UsageError(
        `${op}: a request of ${line.length} bytes is too long, ${MAX_REQUEST_BYTES} are possible`,
      );
    try {
      return await this.lifetime.during(
        () =>
          new Promise<Answer>((resolve, reject) => {
            this.#waiting.set(id, { resolve, reject });
            this.write(line);
          }),
      );
    } finally {
      this.#waiting.delete(id);
    }
  }

  /** Takes a line of init's. */
  take(line: string): void {
    const event = JSON.parse(line) as ControlEvent;
    if (event.event === "ready") this.#ready();
    else if (event.event === "done") this.#waiting.get(event.id ?? 0)?.resolve(event);
    else if (event.event === "exit") {
      if (event.state === LifeState.KILLED) this.#killed.delete(event.id);
      this.#waiting.get(event.id)?.resolve(event);
    } else if (event.event === "error") {
      const waiter = this.#waiting.get(event.id ?? 0);
      if (waiter !== undefined) waiter.reject(new UsageError(event.message));
      else if (!this.#killed.delete(event.id ?? 0)) this.onError(event.message);
    }
  }
}

function lineOf(request: object): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(request)}\n`);
}
