/**
 * Checks scenarios one after the other: explores each, makes the counter-example of what fails as simple as it
 * gets, and keeps what is left for another time.
 */
import { DeterminismError } from "../explore/explorer.js";
import type { Strategy } from "../explore/types.js";
import {
  Campaign,
  type CampaignState,
  type Counts,
  type Limits,
  type Outcome,
  type Progress,
} from "./campaign.js";
import type { Catalogue, Subject } from "./catalogue.js";
import type { CounterExample } from "./counter-example.js";
import { CheckFileError } from "./files.js";
import { fingerprintOf } from "./fingerprint.js";
import { WorkerPool } from "./pool.js";
import { checkFingerprint, readResumeFile, writeResumeFile } from "./resume-file.js";

/** What to check and how. */
export interface Job extends Subject {
  readonly strategy: Strategy;
}

export interface CheckOptions {
  readonly catalogue: Catalogue;
  readonly jobs: readonly Job[];
  /** From 1. */
  readonly workers: number;
  readonly limits: Limits;
  /** Most time for making a counter-example simpler. */
  readonly minimiseSeconds: number;
  readonly signal?: AbortSignal | undefined;
  /** File to go on from and to keep what is left in. */
  readonly resume?: string | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly onResult?: ((result: CheckResult) => void) | undefined;
}

export interface CheckResult extends Job {
  readonly outcome: Outcome;
  readonly counts: Counts;
  /** Of the code that was checked. */
  readonly fingerprint: string;
  readonly counterExample: SimplestCounterExample | null;
}

export interface SimplestCounterExample extends CounterExample {
  /** True if no schedule with fewer preemptions fails like that. */
  readonly isFewest: boolean;
}

/**
 * Runs the jobs to their ends, or up to where the signal aborts; what was begun has a result.
 * @throws CheckFileError for a resume file that cannot be used, FileError if it cannot be written; WorkerError
 */
export async function check(options: CheckOptions): Promise<CheckResult[]> {
  const { catalogue, jobs, resume, signal } = options;
  const states = resume === undefined ? [] : readResumeFile(resume);
  for (const state of states) checkBelongs(resume!, state, jobs);
  // Now, not after hours: it may turn out that nothing can be written there.
  if (resume !== undefined) writeResumeFile(resume, states);
  const kept = new Map(states.map((state) => [keyOf(state), state]));
  const pool = new WorkerPool(catalogue.opener, options.workers);
  const results: CheckResult[] = [];
  try {
    for (const job of jobs) {
      if (signal?.aborted === true) break;
      const { result, state } = await checkOne(pool, job, options, kept.get(keyOf(job)));
      results.push(result);
      // What fails is found again by starting anew.
      if (result.outcome === "failed") kept.delete(keyOf(job));
      else kept.set(keyOf(job), state);
      if (resume !== undefined) writeResumeFile(resume, [...kept.values()]);
      options.onResult?.(result);
    }
  } finally {
    await pool.destroy();
  }
  return results;
}

async function checkOne(
  pool: WorkerPool,
  job: Job,
  options: CheckOptions,
  resumed: CampaignState | undefined,
): Promise<{ result: CheckResult; state: CampaignState }> {
  pool.goOn();
  const program = await pool.prepare(job);
  const fingerprint = fingerprintOf(options.catalogue, job.mutant, program.fingerprint);
  if (resumed !== undefined) checkFingerprint(options.resume!, resumed, fingerprint);
  const { limits, signal, onProgress } = options;
  const campaign = new Campaign(pool, { ...job, fingerprint, limits, signal, resumed, onProgress });
  const { outcome, failure, counts } = await campaign.run();
  let counterExample: SimplestCounterExample | null = null;
  if (failure !== null) {
    pool.goOn();
    const stop = () => pool.stop();
    signal?.addEventListener("abort", stop);
    if (signal?.aborted === true) stop();
    try {
      const minimal = await pool.minimise(job, failure, options.minimiseSeconds * 1000);
      const replayed = await pool.replay(job, minimal.failure.choices);
      if (replayed.counterExample === null)
        throw new DeterminismError(`${job.scenario}: a schedule that failed does not fail again`);
      counterExample = { ...replayed.counterExample, isFewest: minimal.isFewest };
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }
  return { result: { ...job, outcome, counts, fingerprint, counterExample }, state: campaign.state };
}

/** @throws CheckFileError if a kept campaign is none of the jobs, or is explored in another way. */
function checkBelongs(file: string, state: CampaignState, jobs: readonly Job[]): void {
  const job = jobs.find((job) => keyOf(job) === keyOf(state));
  if (job === undefined)
    throw new CheckFileError(
      `${file} is of ${nameOf(state)}, which is not asked for: name that, or another file`,
    );
  const [then, now] = [JSON.stringify(state.strategy), JSON.stringify(job.strategy)];
  if (then !== now)
    throw new CheckFileError(
      `${file} has ${nameOf(state)} explored by another strategy (${describeStrategy(state.strategy)}, not ${describeStrategy(job.strategy)}): ask for that, or name another file`,
    );
}

function keyOf({ scenario, mutant }: Subject): string {
  return JSON.stringify([scenario, mutant]);
}

/** A subject in words. */
export function nameOf({ scenario, mutant }: Subject): string {
  return mutant === null ? scenario : `${scenario} with mutant ${mutant}`;
}

/** A strategy in words. */
export function describeStrategy(strategy: Strategy): string {
  switch (strategy.kind) {
    case "dpor":
    case "dfs":
      return strategy.kind;
    case "bounded":
      return `up to ${strategy.preemptions} preemption${strategy.preemptions === 1 ? "" : "s"}`;
    case "pct":
      return `pct, depth ${strategy.depth}, seed ${strategy.seed}`;
    case "random":
      return `random, seed ${strategy.seed}`;
  }
}
