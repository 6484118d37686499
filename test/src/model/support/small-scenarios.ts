/**
 * Scenarios so small that all their schedules can be run one by one, of the kernel's own rings and doorbells;
 * and a way to see in which states their schedules end.
 */
import { type Coroutine, exploreWhole, type Strategy } from "@capos/explorer";
import { attentionOf } from "@capos/hal";
import { open, type Program, type Scenario, type transformKernel } from "@capos/model/kernel";

type Judgement = ReturnType<Scenario["build"]>;
type Machine = Parameters<Scenario["build"]>[0];
type CoreProgram = NonNullable<NonNullable<Judgement["programs"]>[number]>;
type Outcome = Parameters<CoreProgram>[3];

const ALL = { kind: "dfs" } as const;

function small(name: string, programs: readonly CoreProgram[], seen?: Judgement["seen"]): Scenario {
  return {
    ...{ name, holds: "Each order is as good.", cores: programs.length, plan: ALL, quick: ALL },
    build: () => ({ programs, ...(seen === undefined ? {} : { seen }) }),
  };
}

function note({ seen }: Outcome, name: string, value: unknown): void {
  seen.set(name, [...((seen.get(name) as unknown[] | undefined) ?? []), value]);
}

/** Sends messages of kinds 1, 2, ... from one core to another. */
function* send(program: Program, machine: Machine, from: number, to: number, count: number): Coroutine<void> {
  const ring = new program.RingPort(machine.memory, from);
  for (let kind = 1; kind <= count; kind++) yield* ring.publish$(to, yield* ring.reserve$(to), kind);
}

/** Looks so often whether there is a message, and notes what it finds. */
function* look(
  program: Program,
  machine: Machine,
  outcome: Outcome,
  { at, from, times }: { at: number; from: number; times: number },
): Coroutine<void> {
  const ring = new program.RingPort(machine.memory, at);
  for (let i = 0; i < times; i++) {
    const line = yield* ring.peek$(from);
    note(outcome, `core ${at}`, line === 0 ? null : yield* ring.kind$(line));
    if (line !== 0) yield* ring.release$(from);
  }
}

function* halt(program: Program, machine: Machine, outcome: Outcome, core: number): Coroutine<void> {
  yield* program.halt(machine.memory, attentionOf(machine.memory, core), Number.POSITIVE_INFINITY);
  note(outcome, `core ${core}`, "awake");
}

/** A sender and a receiver that looks now and then. */
export const LOOKING = small("looking", [
  (program, _core, machine) => send(program, machine, 0, 1, 2),
  (program, _core, machine, outcome) => look(program, machine, outcome, { at: 1, from: 0, times: 3 }),
]);

/** Two cores that send to each other, then look. */
export const CROSSING = small(
  "crossing",
  [0, 1].map(
    (at): CoreProgram =>
      function* (program, _core, machine, outcome) {
        yield* send(program, machine, at, 1 - at, 1);
        yield* look(program, machine, outcome, { at, from: 1 - at, times: 2 });
      },
  ),
);

/** A core that halts, wakes up to a message and answers it, on its way past a third core's doorbell. */
export const WAKING = small(
  "waking",
  [
    (program, _core, machine) => send(program, machine, 0, 2, 1),
    (program, _core, machine) => send(program, machine, 1, 0, 1),
    function* (program, _core, machine, outcome) {
      yield* halt(program, machine, outcome, 2);
      yield* look(program, machine, outcome, { at: 2, from: 0, times: 1 });
    },
  ],
  ({ seen }) => (String(seen.get("core 2")) === "awake,1" ? null : "the core did not wake up to a message"),
);

/** What there is to know of how a scenario's schedules end. */
export interface EndStates {
  /** All that was seen, and a hash of all that stands in memory; or the failure. */
  readonly ends: ReadonlySet<string>;
  /** Schedules, with those that were cut off. */
  readonly schedules: number;
  readonly isComplete: boolean;
}

/** Runs all schedules that a strategy has, failing ones too. */
export function endStatesOf(
  scenario: Scenario,
  program: Awaited<ReturnType<typeof transformKernel>>,
  strategy: Strategy,
): EndStates {
  const ends = new Set<string>();
  let hash: () => number = () => 0;
  const build = (machine: Machine): Judgement => {
    const judgement = scenario.build(machine);
    const seen = (outcome: Outcome) => {
      const verdict = judgement.seen?.(outcome) ?? null;
      ends.add(JSON.stringify([verdict, [...outcome.seen].sort(), hash()]));
      return verdict;
    };
    return { ...judgement, seen };
  };
  const { explorer, world } = open({ ...scenario, build }, program);
  const { i32 } = world.machine;
  const before = new Int32Array(world.machine.wasm.buffer).slice();
  hash = () => {
    const { words } = explorer.runtime;
    let sum = 0;
    for (let number = 0; number < words.count; number++) {
      const word = words.wordOf[number];
      if (i32[word] !== before[word]) sum ^= mix(word, i32[word]);
    }
    return sum;
  };
  const whole = exploreWhole(explorer, strategy, {
    wanted: ({ kind, message }) => {
      ends.add(`${kind}: ${message}`);
      return false;
    },
  });
  return { ends, schedules: whole.schedules + whole.redundant, isComplete: whole.isComplete };
}

/** A hash of a word and its value (the end of MurmurHash3). */
function mix(word: number, value: number): number {
  let hash = Math.imul(word, 0x9e37_79b1) ^ value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return hash ^ (hash >>> 16);
}
