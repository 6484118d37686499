/** Hunting mutants: each is searched for by the scenario and the strategy that it names, by one thread. */
import type { Catalogue, MutantInfo } from "../campaign/catalogue.js";
import { Survey } from "./survey.js";
import type { Surveyed } from "./task.js";

export interface Hunt extends Surveyed {
  readonly mutant: MutantInfo;
}

export interface HuntOptions {
  /** From 1. */
  readonly workers: number;
  /** Most schedules of the search of one mutant. */
  readonly schedules: number;
  /** Most time for making one counter-example simpler, in seconds; 0 leaves them as they are found. */
  readonly minimiseSeconds: number;
  /** Called as each hunt ends. */
  readonly onHunt?: (hunt: Hunt) => void;
}

/**
 * Hunts all mutants of a catalogue; answers in the catalogue's order.
 * @throws what the first worker threw that failed: EditError, or a scenario that is not there
 */
export async function huntMutants(catalogue: Catalogue, options: HuntOptions): Promise<Hunt[]> {
  const { workers, schedules, minimiseSeconds } = options;
  const survey = new Survey(catalogue.opener, workers);
  try {
    return await Promise.all(
      catalogue.mutants.map(async (mutant) => {
        const { scenario, strategy } = mutant;
        const limits = { schedules, minimiseSeconds };
        const surveyed = await survey.run({ scenario, mutant: mutant.name, strategy, ...limits });
        const hunt = { ...surveyed, mutant };
        options.onHunt?.(hunt);
        return hunt;
      }),
    );
  } finally {
    await survey.destroy();
  }
}
