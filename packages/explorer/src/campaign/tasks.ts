/** What the pool asks of its workers, and what they answer. Everything here crosses threads. */

import type { Failure, SliceResult, Strategy, Unit } from "../explore/types.js";
import type { Program } from "../transform/program.js";
import type { Subject } from "./catalogue.js";
import type { CounterExample } from "./counter-example.js";
import type { Minimal } from "./minimise.js";

interface Asked extends Subject {
  /** Address of the module that opens scenarios. */
  readonly opener: string;
  /** One word of shared memory: other than 0 when the worker is to come to an end. */
  readonly stop: Int32Array;
  /** The program, for a worker that said it lacks it. */
  readonly program?: Program;
}

/** Makes the mutant's program. */
export interface PrepareTask extends Asked {
  readonly kind: "prepare";
}

export interface ExploreTask extends Asked {
  readonly kind: "explore";
  readonly strategy: Strategy;
  /** As many of them as there is time for. */
  readonly units: readonly Unit[];
  readonly milliseconds: number;
  /** Most schedules to run, from 1. */
  readonly schedules: number;
}

export interface MinimiseTask extends Asked {
  readonly kind: "minimise";
  readonly failure: Failure;
  readonly milliseconds: number;
}

export interface ReplayTask extends Asked {
  readonly kind: "replay";
  readonly choices: string;
}

export type Task = PrepareTask | ExploreTask | MinimiseTask | ReplayTask;

export interface ExploreAnswer {
  /** Of the first units of those asked for; the others were not begun. */
  readonly results: readonly SliceResult[];
  /** Time that it took, in milliseconds. */
  readonly milliseconds: number;
}

export interface ReplayAnswer {
  /** Null if nothing failed. */
  readonly counterExample: CounterExample | null;
  /** Why the choices do not fit the program, else null. */
  readonly misfit: string | null;
}

export interface Answers {
  readonly prepare: Program;
  readonly explore: ExploreAnswer;
  readonly minimise: Minimal;
  readonly replay: ReplayAnswer;
}

/** An error, whose class would not survive the way between threads. */
export interface Thrown {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
}

export type Reply<Kind extends Task["kind"]> =
  | { readonly answer: Answers[Kind] }
  /** The worker does not have the program: ask again, with it. */
  | { readonly lacksProgram: true }
  | { readonly thrown: Thrown };
