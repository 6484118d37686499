/** What there is to check: scenarios, mutants, and the module that opens them. */
import type { Explorer } from "../explore/explorer.js";
import type { Strategy } from "../explore/types.js";
import type { World } from "../explore/world.js";
import type { Edit, Program } from "../transform/program.js";

export interface ScenarioInfo {
  readonly name: string;
  /** What must hold, one sentence. */
  readonly holds: string;
  /** 1 to 4. */
  readonly cores: number;
  /** How it is explored, and how where there is little time. */
  readonly plan: Strategy;
  readonly quick: Strategy;
  /** Where the attack that it is about is described. */
  readonly attack?: string;
}

export interface MutantInfo {
  readonly name: string;
  /** The rule that it breaks, one sentence. */
  readonly breaks: string;
  /** The scenario that finds it, and how. */
  readonly scenario: string;
  readonly strategy: Strategy;
  readonly edits: readonly Edit[];
}

/** A scenario in a worker, ready to be explored. */
export interface OpenedScenario {
  readonly explorer: Explorer;
  readonly world: World;
  readonly program: Pick<Program, "sites">;
}

/** What the module of a catalogue exports. Names are known to be in the catalogue. */
export interface Opener {
  /** The program that all scenarios run: may take seconds. Its answer is sent to other threads. */
  prepareProgram(mutant: string | null): Promise<Program>;
  openScenario(name: string, program: Program): OpenedScenario;
}

export interface Catalogue {
  readonly scenarios: readonly ScenarioInfo[];
  readonly mutants: readonly MutantInfo[];
  /** Address of a module that exports an `Opener`; each worker imports it. */
  readonly opener: string;
  /** Paths of folders whose compiled modules decide what a schedule does, besides the program itself. */
  readonly sources: readonly string[];
}

/** What a campaign is about. */
export interface Subject {
  readonly scenario: string;
  readonly mutant: string | null;
}
