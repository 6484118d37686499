/** A failing schedule as people read it: every access with its place, its word's name and its values. */
import { OP_NAMES, Op } from "../explore/operation.js";
import type { Site } from "../explore/runtime.js";
import type { Failure, Replay, TraceStep } from "../explore/types.js";
import type { Finding } from "../explore/world.js";
import { toBlocks } from "./choices.js";

export interface Access {
  readonly core: number;
  /** The step that it belongs to, from 1; 0 for what a core does before its first. */
  readonly step: number;
  /** A name of `OP_NAMES`. */
  readonly operation: string;
  /** Null for a core's begin. */
  readonly place: Site | null;
  /** The word's name, null if the access is to none. */
  readonly word: string | null;
  readonly read: number | string | null;
  readonly written: number | null;
  /** False for an access that was performed together with the step before it. */
  readonly isStep: boolean;
  /** True for the first step after a core was left that could have gone on. */
  readonly isPreemption: boolean;
  /** True for a plain access that the finding is about. */
  readonly isRacing: boolean;
}

export interface CounterExample {
  readonly finding: Finding;
  readonly cores: number;
  /** A digit for each step. */
  readonly choices: string;
  readonly preemptions: number;
  readonly accesses: readonly Access[];
}

export interface Replayed {
  readonly replay: Replay;
  readonly cores: number;
  readonly sites: readonly Site[];
  describe(word: number): string;
  /** Preemptions in a schedule that begins with these choices and then has no more of them. */
  preemptionsOf(choices: string): number;
}

/** Describes a replay that failed. */
export function describeReplay(failure: Failure, replayed: Replayed): CounterExample {
  const { replay, cores, sites } = replayed;
  const preempted = preemptingSteps(replay, replayed);
  const racing = racingWord(failure, replayed);
  let step = 0;
  const accesses = replay.trace.map((it): Access => {
    if (it.point) step++;
    return {
      core: it.core,
      step,
      operation: OP_NAMES[it.op] ?? `operation ${it.op}`,
      place: it.op === Op.START ? null : (sites[it.site] ?? null),
      word: it.word < 0 ? null : replayed.describe(it.word),
      read: it.read,
      written: it.written,
      isStep: it.point,
      isPreemption: it.point && preempted.has(step),
      isRacing: !it.point && it.word === racing,
    };
  });
  const { kind, choices, preemptions } = failure;
  return { finding: { kind, message: messageOf(failure, sites) }, cores, choices, preemptions, accesses };
}

/** The steps, counted from 1, that begin with a preemption. */
function preemptingSteps(replay: Replay, { preemptionsOf }: Replayed): Set<number> {
  const steps = new Set<number>();
  let before = 0;
  let at = 0;
  for (const block of toBlocks(replay.choices)) {
    const now = before === replay.preemptions ? before : preemptionsOf(replay.choices.slice(0, at + 1));
    if (now > before) steps.add(at + 1);
    before = now;
    at += block.steps;
  }
  return steps;
}

/** The word that a data race is about, -1 if it is none: the finding's message begins with its name. */
function racingWord({ kind, message }: Finding, { replay, describe }: Replayed): number {
  if (kind !== "data race") return -1;
  const isIt = ({ word, point }: TraceStep) =>
    word >= 0 && !point && message.startsWith(`${describe(word)}:`);
  return replay.trace.findLast(isIt)?.word ?? -1;
}

/** A finding's message, with the places that it is about. */
function messageOf({ message, sites: numbers }: Finding, sites: readonly Site[]): string {
  const places = (numbers ?? []).flatMap((number) => sites[number] ?? []).map(shortPlace);
  return places.length === 0 ? message : `${message} (${places.join(" and ")})`;
}

/** Folders that every path has and that say nothing. */
const COMMON_FOLDERS = new Set(["packages", "src"]);

/** `capability/transfer.ts:120`, `loop/loop.ts:28`: two parts of the path say which file it is. */
export function shortPlace({ file, line }: Site): string {
  const parts = file.split("/").filter((part) => !COMMON_FOLDERS.has(part));
  return `${parts.slice(-2).join("/")}:${line}`;
}
