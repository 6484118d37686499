/**
 * Runs schedules of a program under test and says what does not hold.
 *
 * Exhaustive search is stateless and reduced: of the schedules in which the same events follow each
 * other as far as they do not commute, one is run (source sets and sleep sets: Abdulla, Aronis, Jonsson and
 * Sagonas, Optimal Dynamic Partial Order Reduction, 2014, algorithm 1). With a bound on preemptions a
 * place where a core could be preempted is also tried at the begin of the block that holds it (Coons,
 * Musuvathi and McKinley, Bounded Partial-Order Reduction, 2013), and no core sleeps.
 */
import { chancePicker, type Picker } from "./chance.js";
import { EventLog, mayConflict } from "./event-log.js";
import { Frames, MAX_STEPS } from "./frames.js";
import type { BacktrackRequest, Failure, FrameState, Replay, SliceResult, Strategy, Unit } from "./types.js";
import type { VirtualCores } from "./virtual-cores.js";
import type { World } from "./world.js";

/** How one schedule ended. */
const enum End {
  COMPLETE = 0,
  /** What it would have gone on with is covered by other schedules. */
  REDUNDANT = 1,
  FAILED = 2,
}

/** A program that does not do the same again after the same choices: nothing can be said of it. */
export class DeterminismError extends Error {
  override readonly name = "DeterminismError";

  constructor(what: string) {
    super(`${what}: the program is not deterministic, it must do the same whenever it reads the same`);
  }
}

export class Explorer {
  private readonly frames: Frames;
  private readonly log: EventLog;
  private depth = 0;
  private readonly requests: BacktrackRequest[] = [];

  constructor(
    private readonly world: World,
    readonly runtime: VirtualCores,
  ) {
    runtime.attach(world);
    this.frames = new Frames(world.cores);
    this.log = new EventLog(world.cores);
  }

  /** Explores a unit until it is done, something fails, or `isOver` says so between two schedules. */
  explore(unit: Unit, strategy: Strategy, isOver: () => boolean): SliceResult {
    return strategy.kind === "pct" || strategy.kind === "random"
      ? this.exploreByChance(unit, strategy, isOver)
      : this.exploreAll(unit, strategy, isOver);
  }

  private exploreAll(
    unit: Unit,
    strategy: Extract<Strategy, { kind: "dpor" | "dfs" | "bounded" }>,
    isOver: () => boolean,
  ): SliceResult {
    const { frames } = this;
    const bound = strategy.kind === "bounded" ? strategy.preemptions : Number.POSITIVE_INFINITY;
    const sleeps = strategy.kind === "dpor";
    const reduced = strategy.kind !== "dfs";
    this.requests.length = 0;
    for (let i = 0; i < unit.path.length; i++) frames.chosen[i] = unit.path.charCodeAt(i) - 48;
    // The frames above `own` belong to the frontier.
    let own = unit.path.length;
    let forced = own;
    if (unit.take >= 0) {
      frames.chosen[own] = unit.take;
      own++;
      forced++;
    }
    const counts = { schedules: 0, redundant: 0, steps: 0, deepest: 0 };
    for (;;) {
      const end = this.runSystematic(forced, own, unit, bound, sleeps, reduced);
      counts.steps += this.depth;
      counts.deepest = Math.max(counts.deepest, this.depth);
      if (end === End.REDUNDANT) counts.redundant++;
      else counts.schedules++;
      const failure = end === End.FAILED ? this.failure() : null;
      let next = -1;
      let depth = this.depth - 1;
      for (; depth >= own; depth--) {
        frames.done[depth] |= 1 << frames.chosen[depth];
        next = this.nextAt(depth);
        if (next >= 0) break;
      }
      if (failure !== null || next < 0 || isOver()) {
        const deepest = next < 0 ? -1 : depth;
        return {
          ...counts,
          failure,
          frames: this.statesFrom(own, deepest),
          requests: [...this.requests],
          done: 0,
        };
      }
      frames.chosen[depth] = next;
      forced = depth + 1;
    }
  }

  /** A core that is to be tried at a depth and was not, -1 if there is none. */
  private nextAt(depth: number): number {
    const { frames } = this;
    const open = frames.backtrack[depth] & ~frames.done[depth] & ~frames.asleep[depth];
    return open === 0 ? -1 : lowest(open);
  }

  private statesFrom(own: number, deepest: number): FrameState[] {
    const { frames } = this;
    const states: FrameState[] = [];
    let path = frames.path(own);
    for (let depth = own; depth <= deepest; depth++) {
      states.push({
        path,
        enabled: frames.enabled[depth],
        backtrack: frames.backtrack[depth],
        // What is being explored below counts as done: the frames below say what is left of it.
        done: frames.done[depth] | (1 << frames.chosen[depth]),
        asleep: frames.asleep[depth],
      });
      path += frames.chosen[depth];
    }
    return states;
  }

  /** Runs one schedule: the first `forced` choices stand in the frames. */
  private runSystematic(
    forced: number,
    own: number,
    unit: Unit,
    bound: number,
    sleeps: boolean,
    reduced: boolean,
  ): End {
    const { runtime, frames, log } = this;
    log.begin();
    runtime.isNew = forced === 0;
    runtime.begin();
    let asleep = 0;
    for (let depth = 0; ; depth++) {
      this.depth = depth;
      if (runtime.finding !== null) return End.FAILED;
      const enabled = runtime.enabled();
      if (enabled === 0) return this.finish();
      if (depth === MAX_STEPS) return this.tooLong();
      frames.note(depth, runtime.cores);
      const last = depth === 0 ? -1 : frames.chosen[depth - 1];
      const allowed = withinBound(enabled, last, frames.preemptions[depth], bound);
      frames.enabled[depth] = allowed;
      const isContinuable = last >= 0 && (enabled & (1 << last)) !== 0;
      if (depth >= forced) {
        frames.asleep[depth] = asleep;
        frames.done[depth] = 0;
        const awake = allowed & ~asleep;
        if (awake === 0) return End.REDUNDANT;
        const pick = isContinuable && (awake & (1 << last)) !== 0 ? last : lowest(awake);
        frames.chosen[depth] = pick;
        frames.backtrack[depth] = reduced ? 1 << pick : allowed;
      } else if (depth === own - 1 && unit.take >= 0) {
        frames.asleep[depth] = unit.asleep;
        frames.done[depth] = 0;
      }
      const core = frames.chosen[depth];
      if ((enabled & (1 << core)) === 0)
        throw new DeterminismError(`step ${depth}: core ${core} cannot go on`);
      frames.preemptions[depth + 1] = frames.preemptions[depth] + (isContinuable && core !== last ? 1 : 0);
      runtime.isNew = depth >= forced - 1;
      runtime.step(core);
      const { touch } = runtime;
      const judged = reduced && depth >= forced - 1;
      const number = runtime.eventWord < 0 ? -1 : runtime.words.number(runtime.eventWord);
      log.add(core, number, touch, runtime.eventKind, runtime.woken, judged);
      if (judged) for (const earlier of log.raced) this.reverse(earlier, own, bound);
      if (sleeps && depth >= own - 1) {
        const before = (frames.asleep[depth] | frames.done[depth]) & ~(1 << core);
        asleep = before === 0 ? 0 : this.stillAsleep(before, depth, touch);
      }
    }
  }

  /** Those of the sleeping cores whose next access commutes with the event at a depth. */
  private stillAsleep(asleep: number, depth: number, touch: number): number {
    const { frames, runtime } = this;
    let still = 0;
    for (let core = 0; asleep >> core !== 0; core++) {
      if ((asleep & (1 << core)) === 0) continue;
      const conflicts = mayConflict(
        frames.kind(depth, core),
        frames.isUnused(depth, core),
        frames.word(depth, core),
        runtime.eventKind,
        touch,
        runtime.eventWord,
      );
      if (!conflicts) still |= 1 << core;
    }
    return still;
  }

  /** The last event could have come before an earlier one: sees to it that such a schedule is explored. */
  private reverse(earlier: number, own: number, bound: number): void {
    const { frames, log } = this;
    const preferred = log.core[log.length - 1];
    const candidates = log.initials(earlier);
    this.addBacktrack(earlier, candidates, preferred, own);
    if (bound === Number.POSITIVE_INFINITY) return;
    // A preemption there may be one too many, where the begin of the block that it would break costs none.
    let begin = earlier;
    while (begin > 0 && frames.chosen[begin - 1] === frames.chosen[earlier]) begin--;
    if (begin !== earlier) this.addBacktrack(begin, candidates, preferred, own);
  }

  private addBacktrack(depth: number, candidates: number, preferred: number, own: number): void {
    const { frames } = this;
    if (depth < own) {
      // The frontier's: it knows what is explored there.
      this.requests.push({ path: frames.path(depth), candidates, preferred });
      return;
    }
    frames.backtrack[depth] |= toExplore(
      frames.enabled[depth],
      frames.backtrack[depth],
      frames.asleep[depth],
      candidates,
      preferred,
    );
  }

  private finish(): End {
    this.runtime.finding ??= this.world.finish(this.runtime.waiting());
    return this.runtime.finding === null ? End.COMPLETE : End.FAILED;
  }

  private tooLong(): End {
    this.runtime.finding = { kind: "livelock", message: `no end after ${MAX_STEPS} steps` };
    return End.FAILED;
  }

  private failure(): Failure {
    const { frames, runtime } = this;
    return {
      ...runtime.finding!,
      choices: frames.path(this.depth),
      preemptions: frames.preemptions[this.depth],
    };
  }

  private exploreByChance(
    unit: Unit,
    strategy: Extract<Strategy, { kind: "pct" | "random" }>,
    isOver: () => boolean,
  ): SliceResult {
    const counts = { schedules: 0, redundant: 0, steps: 0, deepest: 0 };
    let done = 0;
    let failure: Failure | null = null;
    const length = this.lengthWithoutPreemptions();
    while (done < unit.count) {
      const pick = chancePicker(strategy, this.world.cores, unit.first + done, length);
      if (this.runPicked(pick) === End.FAILED) failure = this.failure();
      done++;
      counts.schedules++;
      counts.steps += this.depth;
      counts.deepest = Math.max(counts.deepest, this.depth);
      if (failure !== null || isOver()) break;
    }
    return { ...counts, failure, frames: [], requests: [], done };
  }

  /** Steps of the schedule without preemptions: where priorities may change, the same in every worker. */
  private lengthWithoutPreemptions(): number {
    if (this.plainLength === 0) {
      this.runPicked(pickNext);
      this.plainLength = Math.max(1, this.depth);
    }
    return this.plainLength;
  }
  private plainLength = 0;

  /** Runs one schedule, each choice by `pick`. */
  private runPicked(pick: Picker): End {
    const { runtime, frames } = this;
    runtime.isNew = true;
    runtime.begin();
    frames.preemptions[0] = 0;
    for (let depth = 0; ; depth++) {
      this.depth = depth;
      if (runtime.finding !== null) return End.FAILED;
      const enabled = runtime.enabled();
      if (enabled === 0) return this.finish();
      if (depth === MAX_STEPS) return this.tooLong();
      const last = depth === 0 ? -1 : frames.chosen[depth - 1];
      const core = pick(enabled, last, depth);
      const isPreemption = last >= 0 && core !== last && (enabled & (1 << last)) !== 0;
      frames.chosen[depth] = core;
      frames.preemptions[depth + 1] = frames.preemptions[depth] + (isPreemption ? 1 : 0);
      runtime.step(core);
    }
  }

  /**
   * Runs a schedule again, and notes every access. A lenient replay goes on with another core where the one
   * that is asked for cannot, and without preemptions behind the last choice.
   * @throws Error if a replay that is not lenient asks for a core that cannot go on.
   */
  replay(choices: string, lenient: boolean): Replay {
    const { runtime, frames } = this;
    runtime.trace = [];
    let asked = 0;
    const end = this.runPicked((enabled, last, depth) => {
      if (!lenient) {
        const core = depth < choices.length ? choices.charCodeAt(depth) - 48 : pickNext(enabled, last);
        if ((enabled & (1 << core)) === 0) throw new Error(`step ${depth}: core ${core} cannot go on`);
        return core;
      }
      while (asked < choices.length) {
        const core = choices.charCodeAt(asked++) - 48;
        if ((enabled & (1 << core)) !== 0) return core;
      }
      return pickNext(enabled, last);
    });
    const trace = runtime.trace ?? [];
    runtime.trace = null;
    return {
      failure: end === End.FAILED ? this.failure() : null,
      choices: frames.path(this.depth),
      preemptions: frames.preemptions[this.depth],
      trace,
    };
  }
}

/** The same core, if it can go on. */
function pickNext(enabled: number, last: number): number {
  return last >= 0 && (enabled & (1 << last)) !== 0 ? last : lowest(enabled);
}

export function lowest(mask: number): number {
  return 31 - Math.clz32(mask & -mask);
}

/** The cores that may be chosen without more preemptions than `bound`. */
function withinBound(enabled: number, last: number, preemptions: number, bound: number): number {
  return last >= 0 && (enabled & (1 << last)) !== 0 && preemptions >= bound ? 1 << last : enabled;
}

/**
 * Which core to add to those explored at a place, as a mask, so that one of `candidates` is explored there: none if
 * one is, or sleeps there because it was explored from elsewhere.
 */
export function toExplore(
  enabled: number,
  explored: number,
  asleep: number,
  candidates: number,
  preferred: number,
): number {
  if (((explored | asleep) & candidates) !== 0) return 0;
  if ((candidates & enabled & (1 << preferred)) !== 0) return 1 << preferred;
  // None where the schedule was not possible: a core that spun saw what it waited for in the event itself.
  const able = candidates & enabled;
  return able & -able;
}
