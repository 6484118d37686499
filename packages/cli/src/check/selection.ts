/** Which scenarios a command line asks for, and how each is explored. */

import type { Strategy } from "@capos/explorer";
import type { Catalogue, Job } from "@capos/explorer/campaign";
import { UsageError } from "@capos/machine/errors";
import { unknownName } from "../unknown-name.js";

export const ALL = "all";

/** True for what names a file of one's own instead of one of the kernel's scenarios. */
export function isFile(name: string): boolean {
  return /[\\/]|\.(mjs|js|ts)$/.test(name);
}

export const STRATEGIES = ["dpor", "dfs", "bounded", "pct", "random"] as const;
export type StrategyName = (typeof STRATEGIES)[number];

const DEFAULT_PREEMPTIONS = 2;
const DEFAULT_DEPTH = 3;
const DEFAULT_SEED = 1;

export interface Selection {
  /** Scenarios, or "all"; with a mutant none means the one that finds it. */
  readonly names: readonly string[];
  readonly mutant?: string | undefined;
  readonly strategy?: StrategyName | undefined;
  readonly preemptions?: number | undefined;
  readonly depth?: number | undefined;
  readonly seed?: number | undefined;
  /** As each scenario is explored where there is little time. */
  readonly quick?: boolean | undefined;
}

/** @throws UsageError for a name that there is not, or options that do not go together. */
export function selectJobs(catalogue: Catalogue, selection: Selection): Job[] {
  const chosen = strategyOf(selection);
  const { scenarios } = catalogue;
  const mutant = selection.mutant === undefined ? null : find("mutant", selection.mutant, catalogue.mutants);
  if (selection.names.length === 0 && mutant === null)
    throw new UsageError(`check: which scenario? A name that check --list shows, or ${ALL}`);
  for (const name of selection.names) if (name !== ALL) find("scenario", name, scenarios);
  const names = selection.names.includes(ALL) ? scenarios.map(({ name }) => name) : selection.names;
  const wanted =
    names.length === 0
      ? [mutant!.scenario]
      : [...new Set(names)].map((name) => find("scenario", name, scenarios).name);
  return wanted.map((name) => {
    const info = find("scenario", name, scenarios);
    const planned =
      mutant?.scenario === name ? mutant.strategy : selection.quick === true ? info.quick : info.plan;
    const strategy = chosen ?? seeded(planned, selection.seed);
    return { scenario: name, mutant: mutant?.name ?? null, strategy };
  });
}

/** The strategy that the options name; undefined if they leave it to the scenario. */
function strategyOf({ strategy, preemptions, depth, seed }: Selection): Strategy | undefined {
  const kind = strategy ?? (preemptions !== undefined ? "bounded" : depth !== undefined ? "pct" : undefined);
  if (kind === undefined) return undefined;
  if (preemptions !== undefined && kind !== "bounded")
    throw new UsageError(`--preemptions is for --strategy bounded, not ${kind}`);
  if (depth !== undefined && kind !== "pct")
    throw new UsageError(`--depth is for --strategy pct, not ${kind}`);
  const isByChance = kind === "pct" || kind === "random";
  if (seed !== undefined && !isByChance)
    throw new UsageError(`--seed is for --strategy pct and random, not ${kind}`);
  switch (kind) {
    case "bounded":
      return { kind, preemptions: preemptions ?? DEFAULT_PREEMPTIONS };
    case "pct":
      return { kind, depth: depth ?? DEFAULT_DEPTH, seed: seed ?? DEFAULT_SEED };
    case "random":
      return { kind, seed: seed ?? DEFAULT_SEED };
    default:
      return { kind };
  }
}

function seeded(planned: Strategy, seed: number | undefined): Strategy {
  return seed !== undefined && "seed" in planned ? { ...planned, seed } : planned;
}

/** @throws UsageError that names the nearest there is. */
function find<Item extends { readonly name: string }>(
  what: string,
  name: string,
  items: readonly Item[],
): Item {
  const found = items.find((item) => item.name === name);
  if (found !== undefined) return found;
  throw unknownName(
    what,
    name,
    items.map((item) => item.name),
    what === "mutant" ? "check --mutants" : "check --list",
  );
}
