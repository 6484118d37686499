/** A worker of a survey: searches one scenario by itself, so that what it finds does not depend on other threads. */
import { performance } from "node:perf_hooks";
import type { Opener } from "../campaign/catalogue.js";
import { minimise } from "../campaign/minimise.js";
import type { Explorer } from "../explore/explorer.js";
import type { Failure } from "../explore/types.js";
import { exploreWhole } from "../explore/whole.js";
import type { Program } from "../transform/program.js";
import type { Surveyed, SurveyTask } from "./task.js";

let last: { readonly key: string; readonly program: Program } | null = null;

/** Piscina calls it for each task. */
export default async function survey(task: SurveyTask): Promise<Surveyed> {
  const opener = (await import(task.opener)) as Opener;
  const key = JSON.stringify([task.opener, task.mutant]);
  const begin = performance.now();
  if (last?.key !== key) last = { key, program: await opener.prepareProgram(task.mutant) };
  const prepared = performance.now();
  const { explorer } = opener.openScenario(task.scenario, last.program);
  const searchBegin = performance.now();
  const whole = exploreWhole(explorer, task.strategy, { schedules: task.schedules });
  return {
    ...whole,
    prepareMs: prepared - begin,
    searchMs: performance.now() - searchBegin,
    minimal: whole.failure === null ? null : simplest(explorer, whole.failure, task.minimiseSeconds),
  };
}

function after(seconds: number): () => boolean {
  const end = performance.now() + seconds * 1000;
  return () => performance.now() >= end;
}

function simplest(explorer: Explorer, found: Failure, seconds: number): Surveyed["minimal"] {
  if (seconds === 0) return null;
  const isOver = after(seconds);
  return minimise(found, {
    replay: (choices) => explorer.replay(choices, true),
    isOver,
    search: (preemptions, wanted) => {
      const whole = exploreWhole(explorer, { kind: "bounded", preemptions }, { isOver, wanted });
      return whole.failure === null && !whole.isComplete ? undefined : whole.failure;
    },
  });
}
