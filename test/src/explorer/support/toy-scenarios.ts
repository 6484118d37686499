/** Toy scenarios for campaigns: a module that a campaign's workers open scenarios with, as the kernel's is. */

import type { Coroutine, Finding, Site } from "@capos/explorer";
import {
  type Catalogue,
  fingerprintOf,
  type MutantInfo,
  type Opener,
  type ScenarioInfo,
} from "@capos/explorer/campaign";
import { type Shared, type Toy, ToyExplorer } from "./toy.js";

const DPOR = { kind: "dpor" } as const;
const QUICK = { kind: "bounded", preemptions: 1 } as const;

export const SCENARIOS: readonly ScenarioInfo[] = [
  { name: "counting", holds: "Each core's addition counts.", cores: 2, plan: DPOR, quick: QUICK },
  { name: "three-counting", holds: "All three additions count.", cores: 3, plan: DPOR, quick: QUICK },
  { name: "some-schedules", holds: "Nothing much.", cores: 3, plan: { kind: "dfs" }, quick: QUICK },
  { name: "endless", holds: "Nothing at all.", cores: 4, plan: { kind: "dfs" }, quick: QUICK },
  {
    name: "by-chance",
    holds: "Nothing by chance.",
    cores: 2,
    plan: { kind: "random", seed: 1 },
    quick: QUICK,
  },
  { name: "racing", holds: "A word is ordered.", cores: 2, plan: DPOR, quick: QUICK },
  { name: "unopenable", holds: "It cannot be opened.", cores: 2, plan: DPOR, quick: QUICK },
];

export const MUTANTS: readonly MutantInfo[] = [
  {
    name: "split-addition",
    breaks: "An addition is one access.",
    scenario: "counting",
    strategy: DPOR,
    edits: [{ function: "addition", find: "add", replace: "load and store" }],
  },
  {
    name: "unfitting",
    breaks: "An edit fits.",
    scenario: "counting",
    strategy: DPOR,
    edits: [{ function: "addition", find: "nothing", replace: "anything" }],
  },
];

/** A catalogue of the toys; `sources` are what a fingerprint is of besides the program. */
export function toyCatalogue(sources: readonly string[] = []): Catalogue {
  return { scenarios: SCENARIOS, mutants: MUTANTS, opener: import.meta.url, sources };
}

/** Steps that have nothing to do with what goes wrong. */
function* noise(it: Shared, word: number, steps: number): Coroutine<void> {
  for (let i = 0; i < steps; i++) yield* it.add(word, 1);
}

function* splitAddition(it: Shared): Coroutine<void> {
  yield* noise(it, 9, 2);
  const value = yield* it.load(1);
  yield* it.store(1, value + 1);
  yield* noise(it, 9, 2);
}

function* addition(it: Shared): Coroutine<void> {
  yield* it.count(1, 1);
}

function counted(cores: number) {
  return (it: Shared): Finding | null =>
    it.i32[1] === cores ? null : { kind: "assertion", message: `${it.i32[1]} of ${cores} additions count` };
}

/** So many accesses that do not commute, by each of so many cores. */
export function busy(cores: number, accesses: number): Toy {
  return { programs: Array.from({ length: cores }, () => (it: Shared) => noise(it, 1, accesses)) };
}

export const SOME_SCHEDULES = busy(3, 4);

function toyOf(name: string, mutant: string | null): Toy {
  switch (name) {
    case "counting": {
      const program = mutant === null ? addition : splitAddition;
      return { programs: [program, program], finish: counted(2) };
    }
    case "three-counting":
      return { programs: [splitAddition, splitAddition, splitAddition], finish: counted(3) };
    case "some-schedules":
      return SOME_SCHEDULES;
    case "endless":
      return busy(4, 40);
    case "by-chance":
      return busy(2, 3);
    case "racing":
      return { programs: [(it) => it.write(1, 7), (it) => it.read(1)] };
    default:
      throw new Error(`${name} cannot be opened`);
  }
}

class EditError extends Error {
  override readonly name = "EditError";
}

const sites: readonly Site[] = Array.from({ length: 15_000 }, (_, line) => ({
  file: "packages/toy/src/programs/toy.ts",
  line,
  column: 1,
  function: "program",
}));

/** What a replay file of the toys carries. */
export function fingerprintOfToys(mutant: string | null): string {
  return fingerprintOf(toyCatalogue(), mutant, FINGERPRINT);
}

const FINGERPRINT = "0123456789abcdef";

/** The mutant's name is all that there is of a program. */
export const prepareProgram: Opener["prepareProgram"] = async (mutant) => {
  if (mutant === "unfitting") throw new EditError("mutant unfitting: addition does not have this code");
  return { code: mutant ?? "", sites, fingerprint: FINGERPRINT, untouched: [] };
};

export const openScenario: Opener["openScenario"] = (name, program) => {
  const { world, explorer } = new ToyExplorer(toyOf(name, program.code === "" ? null : program.code));
  return { world, explorer, program };
};
