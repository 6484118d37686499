/** What a worker does: a scenario that is open, and the work on it. Also serves a replay in the main thread. */
import { performance } from "node:perf_hooks";
import type { Explorer } from "../explore/explorer.js";
import type { Failure } from "../explore/types.js";
import { exploreWhole } from "../explore/whole.js";
import type { OpenedScenario } from "./catalogue.js";
import { describeReplay } from "./counter-example.js";
import { type Minimal, minimise } from "./minimise.js";
import type { Answers, ExploreAnswer, ExploreTask, MinimiseTask, ReplayAnswer, Task } from "./tasks.js";

export class Desk {
  constructor(readonly scenario: OpenedScenario) {}

  private get explorer(): Explorer {
    return this.scenario.explorer;
  }

  /** Does a task that is about this desk's scenario. */
  perform(task: Exclude<Task, { kind: "prepare" }>): Answers[Exclude<Task["kind"], "prepare">] {
    switch (task.kind) {
      case "explore":
        return this.explore(task);
      case "minimise":
        return this.minimise(task);
      case "replay":
        return this.replay(task.choices);
    }
  }

  private explore({ units, strategy, milliseconds, schedules, stop }: ExploreTask): ExploreAnswer {
    const begin = performance.now();
    const results = [];
    let left = schedules;
    const isOver = () => Atomics.load(stop, 0) !== 0 || performance.now() - begin >= milliseconds;
    for (const unit of units) {
      let run = 0;
      const result = this.explorer.explore(unit, strategy, () => ++run >= left || isOver());
      const { failure } = result;
      results.push(result);
      left -= result.schedules;
      if (failure !== null || left <= 0 || isOver()) break;
    }
    return { results, milliseconds: performance.now() - begin };
  }

  private minimise({ failure, milliseconds, stop }: MinimiseTask): Minimal {
    const end = performance.now() + milliseconds;
    const isOver = () => Atomics.load(stop, 0) !== 0 || performance.now() >= end;
    return minimise(failure, {
      replay: (choices) => this.explorer.replay(choices, true),
      isOver,
      search: (preemptions, wanted) => this.search(preemptions, wanted, isOver),
    });
  }

  /** Searches all schedules with at most so many preemptions; undefined if that took too long. */
  private search(
    preemptions: number,
    wanted: (failure: Failure) => boolean,
    isOver: () => boolean,
  ): Failure | null | undefined {
    const whole = exploreWhole(this.explorer, { kind: "bounded", preemptions }, { isOver, wanted });
    return whole.failure === null && !whole.isComplete ? undefined : whole.failure;
  }

  /** Replays choices exactly and describes what failed. */
  replay(choices: string): ReplayAnswer {
    const { explorer } = this;
    const { world, program } = this.scenario;
    let replay: ReturnType<Explorer["replay"]>;
    try {
      replay = explorer.replay(choices, false);
    } catch (error) {
      return { counterExample: null, misfit: error instanceof Error ? error.message : String(error) };
    }
    const { failure } = replay;
    if (failure === null) return { counterExample: null, misfit: null };
    const counterExample = describeReplay(failure, {
      replay,
      cores: world.cores,
      sites: program.sites,
      describe: (word) => world.describe(word),
      preemptionsOf: (begin) => explorer.replay(begin, true).preemptions,
    });
    return { counterExample, misfit: null };
  }
}
