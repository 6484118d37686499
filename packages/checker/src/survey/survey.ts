/**
 * Many searches side by side, each whole on one thread: all mutants, or all scenarios. A campaign instead puts
 * all threads on one search.
 */
import { Piscina } from "piscina";
import type { Surveyed, SurveyTask } from "./task.js";

export class Survey {
  readonly #pool: Piscina;

  /** `opener`: see Catalogue. `workers`: from 1. */
  constructor(
    private readonly opener: string,
    workers: number,
  ) {
    this.#pool = new Piscina({
      filename: new URL("worker.js", import.meta.url).href,
      minThreads: 1,
      maxThreads: workers,
      // Searches take seconds: nothing is gained by waking up for them fast.
      atomics: "disabled",
      execArgv: [],
      recordTiming: false,
    });
  }

  /** Searches when a thread is free. @throws what the worker threw: EditError, TransformError or a mistake of the checker. */
  run(task: Omit<SurveyTask, "opener">): Promise<Surveyed> {
    return this.#pool.run({ ...task, opener: this.opener }) as Promise<Surveyed>;
  }

  async destroy(): Promise<void> {
    await this.#pool.destroy();
  }
}
