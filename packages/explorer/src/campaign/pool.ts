/** The workers of a campaign: a piscina pool in which every worker opens the scenario it is asked about. */
import type { Piscina } from "piscina";
import type { Failure, Strategy, Unit } from "../explore/types.js";
import type { Program } from "../transform/program.js";
import type { Subject } from "./catalogue.js";
import type { Minimal } from "./minimise.js";
import type { Answers, ExploreAnswer, ReplayAnswer, Reply, Task, Thrown } from "./tasks.js";
import { threadPool } from "./threads.js";

/** Something that a worker threw: a mistake in the checker, or a mutant that does not fit the code. */
export class WorkerError extends Error {
  override readonly name = "WorkerError";

  constructor(readonly thrown: Thrown) {
    super(thrown.message);
    this.stack = thrown.stack;
  }
}

export class WorkerPool {
  readonly #pool: Piscina;
  #program: { readonly mutant: string | null; readonly program: Program } | null = null;
  readonly #stop = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

  /** `opener`: see Catalogue. `workers`: from 1. */
  constructor(
    private readonly opener: string,
    readonly workers: number,
  ) {
    this.#pool = threadPool(new URL("worker.js", import.meta.url), workers);
  }

  /** Makes the workers end what they do as soon as they can: their answers come, with what they got. */
  stop(): void {
    Atomics.store(this.#stop, 0, 1);
  }

  /** Takes a stop back. */
  goOn(): void {
    Atomics.store(this.#stop, 0, 0);
  }

  /** Makes the program that a subject's scenario runs, if it is not there. Comes before all other work on it. */
  async prepare(subject: Subject): Promise<Program> {
    const { mutant } = subject;
    if (this.#program?.mutant !== mutant)
      this.#program = { mutant, program: await this.#ask({ kind: "prepare", ...this.#about(subject) }) };
    return this.#program.program;
  }

  explore(
    subject: Subject,
    work: { strategy: Strategy; units: readonly Unit[]; milliseconds: number; schedules: number },
  ): Promise<ExploreAnswer> {
    return this.#ask({ kind: "explore", ...work, ...this.#about(subject) });
  }

  minimise(subject: Subject, failure: Failure, milliseconds: number): Promise<Minimal> {
    return this.#ask({ kind: "minimise", failure, milliseconds, ...this.#about(subject) });
  }

  replay(subject: Subject, choices: string): Promise<ReplayAnswer> {
    return this.#ask({ kind: "replay", choices, ...this.#about(subject) });
  }

  async destroy(): Promise<void> {
    this.stop();
    await this.#pool.destroy();
  }

  #about({ scenario, mutant }: Subject) {
    return { scenario, mutant, opener: this.opener, stop: this.#stop };
  }

  /** @throws WorkerError for what the worker threw. */
  async #ask<Kind extends Task["kind"]>(task: Extract<Task, { kind: Kind }>): Promise<Answers[Kind]> {
    let reply = (await this.#pool.run(task)) as Reply<Kind>;
    // Only then: it has megabytes.
    if ("lacksProgram" in reply) reply = await this.#pool.run({ ...task, program: this.#program!.program });
    if ("lacksProgram" in reply) throw new Error("a worker lost its program");
    if ("thrown" in reply) throw new WorkerError(reply.thrown);
    return reply.answer;
  }
}
