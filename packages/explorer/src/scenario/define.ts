/**
 * A scenario of a program of one's own: what runs on which core, on how much shared memory, and what must hold.
 * Loads nothing: a file with a scenario imports it.
 */
import type { Strategy } from "../explore/types.js";
import type { Specification, Timed } from "../history/linearizability.js";
import type { Edit } from "../transform/program.js";

/** The shared memory, seen three ways. */
export interface Memory {
  readonly i32: Int32Array;
  readonly f64: Float64Array;
  readonly u8: Uint8Array;
}

/** What a core's function is called with. These views are the only ones whose accesses the checker sees. */
export interface ProgramContext extends Memory {
  /** From 0. */
  readonly core: number;
  /** Where a scenario has a `specification`: tells when an operation begins and ends. */
  readonly operations: Operations;
}

export interface Operations {
  /** Answers what `end` takes. */
  begin(name: string, argument?: unknown): number;
  end(operation: number, result?: unknown): void;
}

/** An operation as it was told to `Operations`; one that has not ended has no result. */
export interface Operation extends Timed {
  readonly core: number;
  readonly name: string;
  readonly argument: unknown;
  readonly result: unknown;
}

/** How a schedule ended. */
export interface Ending extends Memory {
  /** What each core's function returned. */
  readonly results: readonly unknown[];
  readonly operations: readonly Operation[];
}

/** The program with a defect, to see that the scenario finds it. */
export interface ScenarioMutant {
  readonly name: string;
  /** The rule that it breaks, one sentence. */
  readonly breaks: string;
  /** The scenario's plan unless told. */
  readonly strategy?: Strategy;
  readonly edits: readonly Edit[];
}

export interface ScenarioDefinition {
  /** Small letters, digits and hyphens. */
  readonly name: string;
  /** What must hold, one sentence. */
  readonly holds: string;
  /** The module that is checked: an address, or a path from the scenario's file. Runs anew for each core and schedule. */
  readonly program: URL | string;
  /** 1 to 4 functions that the program exports, one for each core. */
  readonly cores: readonly string[];
  /** Size of the shared memory in words of 32 bits, 1 to 65536. */
  readonly words: number;
  /** First words of what lies in memory, for people: `{ head: 0, slots: 2 }`. It goes on up to the next. */
  readonly names?: Readonly<Record<string, number>>;
  /** Parts of memory (keys of `names`) whose plain accesses race by design, and what orders them instead. */
  readonly racing?: Readonly<Record<string, string>>;
  /** Cores that may wait for ever. */
  readonly mayWait?: readonly number[];
  /** True if the time limit of an `Atomics.wait` may be what a core goes on by; else that is a lost wake-up. */
  readonly timeouts?: boolean;
  /** Writes what stands in memory at the begin; 0 everywhere unless told. */
  begin?(memory: Memory): void;
  /** Looks at how a schedule ended: what is wrong with it as a sentence, null if nothing is. */
  atEnd?(ending: Ending): string | null;
  /** What the operations do one at a time: their history must be linearizable. */
  // biome-ignore lint/suspicious/noExplicitAny: its state is its own
  readonly specification?: Specification<any, Operation>;
  /** How it is explored: exhaustively unless told; and where there is little time: with up to 2 preemptions. */
  readonly plan?: Strategy;
  readonly quick?: Strategy;
  readonly mutants?: readonly ScenarioMutant[];
}

/** The same, with its type checked: what a scenario's file exports as its default. */
export function defineScenario(definition: ScenarioDefinition): ScenarioDefinition {
  return definition;
}
