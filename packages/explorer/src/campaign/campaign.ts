/**
 * Explores one scenario on a pool: hands out what the frontier has, takes back what workers found, until all
 * is explored, something fails, or a limit or an abort ends it. The frontier is whole at each of these
 * ends: workers answer for what they did before they stop.
 */
import { performance } from "node:perf_hooks";
import { Frontier, type SavedFrontier } from "../explore/frontier.js";
import type { Failure, SliceResult, Strategy, Unit } from "../explore/types.js";
import type { Subject } from "./catalogue.js";
import { Estimate } from "./estimate.js";
import type { WorkerPool } from "./pool.js";

/** How long a worker explores before it answers, and how long while others have nothing to do. */
const SLICE_MS = 500;
const FIRST_SLICE_MS = 50;
/** Units that a worker takes at a time. */
const MOST_UNITS = 64;

export type Outcome =
  /** Every schedule of the strategy was explored. */
  | "complete"
  | "failed"
  /** A limit of time or schedules was reached. */
  | "limit"
  | "interrupted";

export interface Counts {
  /** Schedules run to their end, and those cut off because others cover them. */
  readonly schedules: number;
  readonly redundant: number;
  readonly steps: number;
  /** Steps of the longest schedule. */
  readonly deepest: number;
  /** Time on the clock, and time that workers were at it, all of them together. */
  readonly seconds: number;
  readonly workerSeconds: number;
}

export const NO_COUNTS: Counts = Object.freeze({
  schedules: 0,
  redundant: 0,
  steps: 0,
  deepest: 0,
  seconds: 0,
  workerSeconds: 0,
});

/** Most of this run, not counting what was explored before it was resumed. */
export interface Limits {
  /** From 1, may be infinite. */
  readonly schedules: number;
  readonly seconds: number;
}

/** What was explored and what is left: all that it takes to go on. */
export interface CampaignState extends Subject {
  readonly strategy: Strategy;
  readonly fingerprint: string;
  readonly counts: Counts;
  /** Estimated part of the whole, 0 to 1. */
  readonly explored: number;
  readonly frontier: SavedFrontier;
}

export interface Progress extends Subject {
  readonly strategy: Strategy;
  readonly counts: Counts;
  /** Schedules a second of the clock, in this run. */
  readonly schedulesPerSecond: number;
  /** Estimated part of the whole, 0 to 1: of the search, of the time, or of the schedules, whichever ends first. */
  readonly fraction: number;
  /** Units that wait for a worker. */
  readonly open: number;
}

export interface CampaignOptions extends Subject {
  readonly strategy: Strategy;
  readonly fingerprint: string;
  readonly limits: Limits;
  readonly signal?: AbortSignal | undefined;
  readonly resumed?: CampaignState | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** Schedules of a strategy by chance if nobody limits them: it has no end of its own. */
const SCHEDULES_BY_CHANCE = 10_000;

export class Campaign {
  private readonly frontier: Frontier;
  private readonly estimate: Estimate;
  private readonly before: Counts;
  private readonly counts: { -readonly [Key in keyof Counts]: Counts[Key] };
  /** Most schedules of this run that are left to hand out. */
  private allowance: number;
  private failure: Failure | null = null;
  private outcome: Outcome | null = null;
  private begin = performance.now();
  /** Workers that wait for units, to be woken when another one gives some. */
  private idle: (() => void)[] = [];
  private atWork = 0;

  constructor(
    private readonly pool: WorkerPool,
    private readonly options: CampaignOptions,
  ) {
    const { strategy, limits, resumed } = options;
    this.before = resumed?.counts ?? NO_COUNTS;
    this.counts = { ...this.before };
    this.allowance =
      isByChance(strategy) && limits.schedules === Number.POSITIVE_INFINITY && !isLimited(limits.seconds)
        ? SCHEDULES_BY_CHANCE
        : limits.schedules;
    this.frontier = new Frontier(strategy, this.before.schedules + this.allowance, resumed?.frontier);
    this.estimate = new Estimate(resumed?.explored, this.frontier.open);
  }

  /** Explores until there is an end. @throws WorkerError, when all workers have stopped. */
  async run(): Promise<{ outcome: Outcome; failure: Failure | null; counts: Counts }> {
    const { pool, options } = this;
    pool.goOn();
    this.begin = performance.now();
    const interrupt = () => this.end("interrupted");
    const timer = isLimited(options.limits.seconds)
      ? setTimeout(() => this.end("limit"), options.limits.seconds * 1000)
      : undefined;
    options.signal?.addEventListener("abort", interrupt);
    if (options.signal?.aborted === true) interrupt();
    try {
      const workers = Array.from({ length: pool.workers }, () => this.work());
      const ends = await Promise.allSettled(workers);
      const broken = ends.find((end) => end.status === "rejected");
      if (broken !== undefined) throw broken.reason;
    } finally {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", interrupt);
    }
    this.tellTime();
    // An end that comes when nothing is left to explore is none.
    if (this.failure === null && this.isComplete) this.outcome = "complete";
    return { outcome: this.outcome ?? "limit", failure: this.failure, counts: this.counts };
  }

  /** Valid when `run` has ended. */
  get state(): CampaignState {
    const { scenario, mutant, strategy, fingerprint } = this.options;
    const explored = this.estimate.fraction;
    const frontier = this.frontier.toJSON();
    return { scenario, mutant, strategy, fingerprint, counts: { ...this.counts }, explored, frontier };
  }

  /** One worker's part: asks for units until there are none. */
  private async work(): Promise<void> {
    while (this.outcome === null) {
      const schedules = this.share();
      const units = schedules === 0 ? [] : this.take();
      if (units.length === 0) {
        if (this.atWork === 0) break;
        await new Promise<void>((resolve) => this.idle.push(resolve));
        continue;
      }
      this.allowance -= schedules;
      this.atWork++;
      try {
        await this.explore(units, schedules);
      } catch (error) {
        this.end("interrupted");
        throw error;
      } finally {
        this.atWork--;
        for (const resume of this.idle.splice(0)) resume();
      }
    }
  }

  private async explore(units: readonly Unit[], schedules: number): Promise<void> {
    const { pool, options, counts } = this;
    const { strategy } = options;
    const milliseconds = this.frontier.open < pool.workers ? FIRST_SLICE_MS : SLICE_MS;
    const answer = await pool.explore(options, { strategy, units, milliseconds, schedules });
    for (const unit of units.slice(answer.results.length)) this.frontier.putBack(unit);
    this.allowance += schedules;
    for (const [i, result] of answer.results.entries()) this.give(units[i], result);
    counts.workerSeconds += answer.milliseconds / 1000;
    this.tellTime();
    options.onProgress?.(this.progress());
  }

  private give(unit: Unit, result: SliceResult): void {
    const { counts, failure } = this;
    this.estimate.give(unit, result);
    this.frontier.give(unit, result);
    counts.schedules += result.schedules;
    counts.redundant += result.redundant;
    counts.steps += result.steps;
    counts.deepest = Math.max(counts.deepest, result.deepest);
    this.allowance -= result.schedules;
    if (result.failure === null) return;
    if (failure === null || result.failure.preemptions < failure.preemptions) this.failure = result.failure;
    this.end("failed");
  }

  private end(outcome: Outcome): void {
    if (this.outcome !== null && outcome !== "failed") return;
    this.outcome = outcome;
    this.pool.stop();
  }

  /** The schedules that one worker may run now, so that all together keep to the limit. */
  private share(): number {
    if (this.allowance <= 0) return 0;
    const share = Math.max(1, Math.floor(this.allowance / (this.pool.workers - this.atWork)));
    // Infinity less infinity would be no number.
    return Math.min(share, Number.MAX_SAFE_INTEGER);
  }

  private take(): Unit[] {
    const fair = Math.ceil(this.frontier.open / this.pool.workers);
    const units: Unit[] = [];
    do {
      const unit = this.frontier.next();
      if (unit === undefined) break;
      units.push(unit);
    } while (units.length < Math.min(fair, MOST_UNITS));
    return units;
  }

  private tellTime(): void {
    this.counts.seconds = this.before.seconds + (performance.now() - this.begin) / 1000;
  }

  private get isComplete(): boolean {
    return !isByChance(this.options.strategy) && this.frontier.isDone;
  }

  private progress(): Progress {
    const { counts, before, options, frontier } = this;
    const { scenario, mutant, strategy, limits } = options;
    const seconds = counts.seconds - before.seconds;
    const schedules = counts.schedules - before.schedules;
    const ofSchedules = schedules / Math.max(1, schedules + this.allowance);
    const ofSearch = isByChance(strategy) ? 0 : this.estimate.fraction;
    return {
      ...{ scenario, mutant, strategy, open: frontier.open, counts: { ...counts } },
      schedulesPerSecond: seconds === 0 ? 0 : schedules / seconds,
      fraction: Math.min(1, Math.max(ofSearch, ofSchedules, seconds / limits.seconds)),
    };
  }
}

export function isByChance(strategy: Strategy): boolean {
  return strategy.kind === "pct" || strategy.kind === "random";
}

function isLimited(limit: number): boolean {
  return limit !== Number.POSITIVE_INFINITY;
}
