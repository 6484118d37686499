/** Threads of a scenario: what they run, and what they saw. */
import type { Sys } from "@capos/abi";
import type { Context } from "@capos/engine";
import type { Timed } from "@capos/explorer/history";
import type { WordIndex } from "@capos/hal";
import type { Access } from "./program/host.js";
import { Instant } from "./program/instant.js";

/** An operation as a guest saw it, for a history. Times count the calls and answers of one schedule. */
export interface Call extends Timed {
  readonly name: string;
  readonly guest: string;
  readonly result: unknown;
}

/** What the guests of one schedule saw. */
export class Outcome {
  /** What guests noted, by name. */
  readonly seen = new Map<string, unknown>();
  readonly calls: Call[] = [];
  time = 0;
}

/** What a guest's program is given besides `sys`. */
export interface Notes {
  /** Notes something for the judgement at the end. */
  note(name: string, value: unknown): void;
  /** Reads a word of memory, at an instant that the explorer knows of. */
  look(word: WordIndex): Generator<number, number, number>;
  /** Loads and stores 32 bits at an address of its process's. Answer what was loaded, 0 or more, or minus the `Refusal`. */
  load(address: number): Generator<number, number, number>;
  store(address: number, value: number): Generator<number, number, number>;
  /** Runs for long, to a check; the core takes a turn if it is wanted. */
  runLong(): Generator<number, void, number>;
  /** Runs steps that are one operation of the history. */
  operation<Result>(
    name: string,
    steps: Generator<number, Result, number>,
  ): Generator<number, Result, number>;
}

export type GuestProgram = (sys: Sys, notes: Notes) => Generator<number, void, number>;

/** A thread of a scenario. */
export interface Guest {
  readonly name: string;
  readonly core: number;
  readonly thread: number;
  readonly number: number;
  /** Slot of init's CSpace that holds its thread capability. */
  readonly slot: number;
  readonly program: GuestProgram;
  /** Where it waits for ever when it is done: its handle to an endpoint of its own; 0 exits instead. */
  readonly end: number;
  context: Context | null;
  isDone: boolean;
}

/** Gives a guest's program its notes. `access` is where it says what it loads and stores. */
export function notesOf(guest: Guest, outcome: Outcome, access: Access): Notes {
  return {
    note(name, value) {
      outcome.seen.set(name, value);
    },
    *look(word) {
      return yield Instant.LOOK - word;
    },
    *load(address) {
      access.address = address;
      return yield Instant.LOAD;
    },
    *store(address, value) {
      access.address = address;
      access.value = value;
      return yield Instant.STORE;
    },
    *runLong() {
      yield Instant.CHECK;
    },
    *operation(name, steps) {
      yield Instant.BEGIN;
      const start = outcome.time++;
      // Replaced when it is answered: one that never is stays open.
      const at =
        outcome.calls.push({
          name,
          guest: guest.name,
          start,
          end: Number.POSITIVE_INFINITY,
          result: undefined,
        }) - 1;
      let result: unknown;
      try {
        const value = yield* steps;
        result = value;
        return value;
      } catch (error) {
        result = error;
        throw error;
      } finally {
        yield Instant.END;
        outcome.calls[at] = { name, guest: guest.name, start, end: outcome.time++, result };
      }
    },
  };
}
