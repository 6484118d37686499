/**
 * Runs scenarios: boots a machine for each, has crews play on it, judges each round as it is complete and
 * the machine's memory when all is at rest. It knows machines by `StressContext` alone: whoever can
 * boot one passes it in.
 */
import type { Image } from "@capos/abi";
import type { PhysicalMemory } from "@capos/hal";
import { checkWhenAtRest } from "@capos/inspect";
import { HistoryReader, type StressEvent } from "./event.js";
import type { Finding } from "./finding.js";
import { Random } from "./guests/random.js";
import { Kind, SCENARIOS, type ScenarioName, SETTLED } from "./guests/vocabulary.js";
import { loadStressImage } from "./images.js";
import { judgeRound } from "./judge.js";
import { Rounds } from "./rounds.js";

/** A running machine, as much of it as the suite needs. */
export interface StressMachine {
  readonly memory: PhysicalMemory;
  /** Runs the image to its end; gives how it ended: an empty text if well, else what went wrong. */
  run(
    image: Image,
    options: { core: number; args: readonly string[]; memoryBits: number; priority: number },
  ): Promise<string>;
  /** Takes the lines that guests print from now on. */
  listen(take: (line: string) => void): void;
  /** Types a line on the console. */
  type(line: string): void;
  /** How the machine stands, for people. */
  describe(): readonly string[];
  /** Writes down the trace of the last moments; answers a line that says where, "" if it does not. */
  keepTrace(): string;
}

export interface StressContext {
  /** Cores of the machine, 2 to 64. */
  readonly cores: number;
  /** Time for each scenario, above 0. */
  readonly seconds: number;
  readonly seed: number;
  readonly scenarios: readonly ScenarioName[];
  readonly signal?: AbortSignal;
  /** `fraction` is of the named scenario. */
  onProgress?(scenario: ScenarioName, fraction: number, sofar: Progress): void;
  /** Boots a machine whose cores keep histories of so many events, runs `use` on it, halts it. */
  withMachine<T>(historyEvents: number, use: (machine: StressMachine) => Promise<T>): Promise<T>;
}

export interface Progress {
  readonly operations: number;
  readonly violations: number;
}

/** A violation, and how to see it again. */
export interface Violation extends Finding {
  readonly scenario: ScenarioName;
  readonly seed: number;
}

export interface ScenarioResult {
  readonly scenario: ScenarioName;
  readonly seed: number;
  readonly seconds: number;
  readonly rounds: number;
  readonly operations: number;
  readonly operationsPerMinute: number;
  readonly revokes: number;
  /** Times that the machine's memory was gone through. */
  readonly inspections: number;
  readonly violations: readonly Violation[];
  /** False if the machine was stuck: nothing of it comes back, perhaps not even its halt. */
  readonly ended: boolean;
}

/** Events that one core's history holds: some 50 ms of the busiest guest. */
export const HISTORY_EVENTS = 1 << 14;
/** Crews stay in one place for so long, then others come. */
const RUN_SECONDS = 5;
/** Players of a crew need about so many cores. */
const CORES_PER_CREW = 4;
const MOST_CREWS = 4;
const MEMORY_BITS = 21;
const PRIORITY = 100;
const POLL_MS = 4;
/** A machine in which nothing is recorded for so long, on however busy a host, will record nothing any more. */
const STUCK_MS = 60_000;
/** After so many violations a scenario ends: more would say the same. */
const MOST_VIOLATIONS = 5;

/** Runs the scenarios one after the other, each on a machine of its own; none after one that was stuck. Throws what the context throws, and the signal's reason. */
export async function runStress(context: StressContext): Promise<ScenarioResult[]> {
  const results: ScenarioResult[] = [];
  for (const scenario of context.scenarios) {
    context.signal?.throwIfAborted();
    const play = (machine: StressMachine) => new Run(context, scenario, machine).play();
    const result = await context.withMachine(HISTORY_EVENTS, play);
    results.push(result);
    // Its cores may go round in circles for ever: what else was measured now would say nothing.
    if (!result.ended) break;
  }
  return results;
}

class Run {
  readonly #image: Image = loadStressImage();
  readonly #reader: HistoryReader;
  readonly #rounds = new Rounds();
  readonly #violations: Violation[] = [];
  readonly #random: Random;
  #guests = 0;
  #roundCount = 0;
  #operations = 0;
  #revokes = 0;
  #inspections = 0;
  #ended = true;
  #lastEventMs = performance.now();

  constructor(
    private readonly context: StressContext,
    private readonly scenario: ScenarioName,
    private readonly machine: StressMachine,
  ) {
    this.#reader = new HistoryReader(machine.memory);
    this.#random = new Random(context.seed + 7919 * Object.keys(SCENARIOS).indexOf(scenario));
  }

  async play(): Promise<ScenarioResult> {
    const { context, scenario } = this;
    const startMs = performance.now();
    for (;;) {
      const passed = (performance.now() - startMs) / 1000;
      const left = context.seconds - passed;
      if (this.#guests > 0 && left < Math.min(0.1, context.seconds / 4)) break;
      if (this.#violations.length >= MOST_VIOLATIONS) break;
      if (!(await this.#playCrews(Math.min(Math.max(left, 0.05), RUN_SECONDS), startMs))) break;
    }
    const seconds = (performance.now() - startMs) / 1000;
    return {
      scenario,
      seed: context.seed,
      seconds,
      rounds: this.#roundCount,
      operations: this.#operations,
      operationsPerMinute: Math.round((this.#operations / seconds) * 60),
      revokes: this.#revokes,
      inspections: this.#inspections,
      violations: this.#violations,
      ended: this.#ended,
    };
  }

  /** Crews in new places, for some time; false if one of them did not come to its end. */
  async #playCrews(seconds: number, startMs: number): Promise<boolean> {
    const { context, machine } = this;
    const crews = Math.max(1, Math.min(MOST_CREWS, Math.floor(context.cores / CORES_PER_CREW)));
    let settled = 0;
    machine.listen((line) => {
      if (line === SETTLED) settled++;
    });
    let ended = 0;
    const failures: string[] = [];
    const runs = Array.from({ length: crews }, () => this.#startCrew(seconds));
    for (const run of runs) {
      run.then(
        (failure) => {
          ended++;
          if (failure !== "") failures.push(failure);
        },
        (error: unknown) => {
          ended++;
          failures.push(error instanceof Error ? error.message : String(error));
        },
      );
    }
    this.#lastEventMs = performance.now();
    let looked = false;
    while (ended < crews) {
      await delay(POLL_MS);
      context.signal?.throwIfAborted();
      this.#collect();
      context.onProgress?.(
        this.scenario,
        Math.min(1, (performance.now() - startMs) / 1000 / context.seconds),
        {
          operations: this.#operations,
          violations: this.#violations.length,
        },
      );
      if (!looked && settled + ended >= crews) {
        looked = true;
        this.#collect();
        await this.#inspect();
        for (let i = 0; i < settled; i++) machine.type("");
        this.#lastEventMs = performance.now();
      }
      if (performance.now() - this.#lastEventMs > STUCK_MS) {
        this.#ended = false;
        this.#report({
          rule: "every operation comes back",
          excerpt: this.#lastOf(),
          details: machine.describe(),
        });
        return false;
      }
    }
    // Twice: what the first look finds to be complete, the second gives.
    this.#collect();
    this.#collect();
    for (const failure of failures)
      this.#report({ rule: "a guest comes to its end", excerpt: [], details: [failure] });
    await this.#inspect();
    return failures.length === 0;
  }

  #startCrew(seconds: number): Promise<string> {
    const { context, machine } = this;
    const random = this.#random;
    const cores = Array.from({ length: context.cores }, (_, core) => core);
    for (let i = cores.length - 1; i > 0; i--) {
      const j = random.below(i + 1);
      [cores[i], cores[j]] = [cores[j], cores[i]];
    }
    const guest = this.#guests++;
    const seed = random.next();
    const args = [this.scenario, guest, seed, Math.round(seconds * 1e9), cores.join(",")].map(String);
    return machine.run(this.#image, { core: cores[0], args, memoryBits: MEMORY_BITS, priority: PRIORITY });
  }

  /** Reads what was recorded and judges the rounds that are complete. */
  #collect(): void {
    const events = this.#reader.take();
    if (events.length > 0) this.#lastEventMs = performance.now();
    const { complete, unusable } = this.#rounds.add(events);
    for (const round of complete) this.#judge(round);
    for (const finding of unusable) this.#report(finding);
  }

  #judge(events: readonly StressEvent[]): void {
    this.#roundCount++;
    for (const { kind, a } of events) {
      if (kind === Kind.ACT) this.#operations += a;
      else if (kind !== Kind.ROUND_END && kind !== Kind.AUDIT) this.#operations++;
      if (kind === Kind.REVOKE) this.#revokes++;
    }
    const options = { hearsOfBadges: this.scenario === "delete-last-two" };
    for (const finding of judgeRound(events, options)) this.#report(finding);
  }

  async #inspect(): Promise<void> {
    this.#inspections++;
    for (const finding of await checkWhenAtRest(this.machine.memory, this.context.signal))
      this.#report({ ...finding, excerpt: [] });
  }

  #report(finding: Finding): void {
    if (this.#violations.length >= MOST_VIOLATIONS) return;
    // The first one's: what comes after it is of its making, or the same again.
    const where = this.#violations.length === 0 ? this.machine.keepTrace() : "";
    const details = [...(finding.details ?? []), ...(where === "" ? [] : [where])];
    this.#violations.push({ ...finding, details, scenario: this.scenario, seed: this.context.seed });
  }

  /** The last event of each thread that plays a round which does not end. */
  #lastOf(): StressEvent[] {
    const last = new Map<number, StressEvent>();
    for (const event of this.#rounds.open().flat()) {
      const known = last.get(event.thread);
      if (known === undefined || known.end < event.end) last.set(event.thread, event);
    }
    return [...last.values()].sort((a, b) => a.start - b.start);
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
