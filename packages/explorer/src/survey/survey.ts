/**
 * Many searches side by side, each whole on one thread: all mutants, or all scenarios. A campaign instead puts
 * all threads on one search.
 */
import type { Piscina } from "piscina";
import { threadPool } from "../campaign/threads.js";
import type { Surveyed, SurveyTask } from "./task.js";

export class Survey {
  readonly #pool: Piscina;

  /** `opener`: see Catalogue. `workers`: from 1. */
  constructor(
    private readonly opener: string,
    workers: number,
  ) {
    this.#pool = threadPool(new URL("worker.js", import.meta.url), workers);
  }

  /** Searches when a thread is free. @throws what the worker threw: EditError, TransformError or a mistake of the checker. */
  run(task: Omit<SurveyTask, "opener">): Promise<Surveyed> {
    return this.#pool.run({ ...task, opener: this.opener }) as Promise<Surveyed>;
  }

  async destroy(): Promise<void> {
    await this.#pool.destroy();
  }
}
