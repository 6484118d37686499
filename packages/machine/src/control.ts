/**
 * The host's end of init's control port: one JSON object a line. Every request has an id, and waits for the answer
 * that has it too, or for the machine's end.
 */
import { type ControlEvent, type ExitEvent, MAX_REQUEST_BYTES } from "@capos/servers";
import { UsageError } from "./errors.js";
import type { Lifetime } from "./lifetime.js";

/** What a request is answered by, unless by an error. */
type Answer = Extract<ControlEvent, { readonly event: "exit" | "done" }>;

interface Waiter {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

export class Control {
  readonly #waiting = new Map<number, Waiter>();
  #nextId = 1;
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

  /** Runs a program to its end. @throws UsageError if init refuses; MachineError */
  async run(request: object): Promise<ExitEvent> {
    return (await this.#request("run", request)) as ExitEvent;
  }

  /** Ends a service as a fault would. @throws UsageError if none of that name runs; MachineError */
  async killService(service: string): Promise<void> {
    await this.#request("kill-service", { service });
  }

  async #request(op: string, request: object): Promise<Answer> {
    const id = this.#nextId++;
    const line = new TextEncoder().encode(`${JSON.stringify({ op, id, ...request })}\n`);
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
    else if (event.event === "exit" || event.event === "done")
      this.#waiting.get(event.id ?? 0)?.resolve(event);
    else if (event.event === "error") {
      const waiter = this.#waiting.get(event.id ?? 0);
      if (waiter === undefined) this.onError(event.message);
      else waiter.reject(new UsageError(event.message));
    }
  }
}
