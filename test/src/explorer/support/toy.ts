/**
 * Small programs for the explorer, written as coroutines by hand: what transformed code looks like, without the
 * transformation.
 */
import {
  type Coroutine,
  Explorer,
  type Failure,
  type Finding,
  Frontier,
  Op,
  type Strategy,
  UNUSED,
  VirtualCores,
  type World,
} from "@capos/explorer";

/** Shared memory as a program of the tests uses it. */
export class Shared {
  readonly i32: Int32Array;
  constructor(
    readonly runtime: VirtualCores,
    words = 64,
  ) {
    this.i32 = new Int32Array(new SharedArrayBuffer(words * 4));
  }

  *atomic(op: number, word: number, a = 0, b = 0, site = op * 1000 + word): Coroutine<number> {
    if (this.runtime.op(site, op, this.i32, word, a, b)) yield;
    return this.runtime.run() as number;
  }
  load(word: number): Coroutine<number> {
    return this.atomic(Op.LOAD, word);
  }
  store(word: number, value: number): Coroutine<number> {
    return this.atomic(Op.STORE, word, value);
  }
  add(word: number, value: number): Coroutine<number> {
    return this.atomic(Op.ADD, word, value);
  }
  /** An addition whose result is not used. */
  count(word: number, value: number): Coroutine<number> {
    return this.atomic(Op.ADD | UNUSED, word, value);
  }
  swap(word: number, from: number, to: number): Coroutine<number> {
    return this.atomic(Op.COMPARE_EXCHANGE, word, from, to);
  }
  *wait(word: number, value: number, timeoutMs = -1): Coroutine<string> {
    if (this.runtime.op(Op.WAIT * 1000 + word, Op.WAIT, this.i32, word, value, timeoutMs)) yield;
    return this.runtime.run() as string;
  }
  notify(word: number): Coroutine<number> {
    return this.atomic(Op.NOTIFY, word);
  }
  *read(word: number): Coroutine<number> {
    if (this.runtime.peek(Op.READ * 1000 + word, this.i32, word)) yield;
    return this.runtime.take() as number;
  }
  *write(word: number, value: number): Coroutine<void> {
    if (this.runtime.poke(Op.WRITE * 1000 + word, this.i32, word, value)) yield;
    this.runtime.put();
  }
}

export interface Toy {
  readonly programs: readonly ((it: Shared) => Coroutine)[];
  /** Called when nothing can go on. */
  finish?(it: Shared, waiting: number): Finding | null;
  racy?: readonly number[];
  timerDue?: boolean;
}

export class ToyExplorer {
  readonly explorer: Explorer;
  readonly shared: Shared;
  readonly world: World;

  constructor(readonly toy: Toy) {
    const runtime = new VirtualCores();
    const shared = new Shared(runtime);
    this.shared = shared;
    this.world = {
      cores: toy.programs.length,
      views: {
        i32: shared.i32,
        f64: new Float64Array(shared.i32.buffer),
        u8: new Uint8Array(shared.i32.buffer),
      },
      orderedBy: (word) => (toy.racy?.includes(word) === true ? "the test" : null),
      publishes: () => false,
      isIndifferent: () => false,
      reset() {},
      start: (core) => toy.programs[core](shared),
      watched: [],
      atRest: () => null,
      timerDue: () => toy.timerDue === true,
      finish: (waiting) =>
        toy.finish?.(shared, waiting) ??
        (waiting === 0 || toy.finish !== undefined ? null : { kind: "deadlock", message: `${waiting} wait` }),
      describe: (word) => `word ${word}`,
    };
    this.explorer = new Explorer(this.world, runtime);
  }
}

export interface Exploration {
  readonly schedules: number;
  readonly redundant: number;
  readonly steps: number;
  readonly failure: Failure | null;
}

/** Explores a program to its end, or to its first failure; in slices of so many schedules each. */
export function exploreToy(
  toy: Toy,
  strategy: Strategy,
  slice = Number.POSITIVE_INFINITY,
  schedules = 10_000,
): Exploration {
  const { explorer } = new ToyExplorer(toy);
  let frontier = new Frontier(strategy, schedules);
  const total = { schedules: 0, redundant: 0, steps: 0 };
  for (let unit = frontier.next(); unit !== undefined; unit = frontier.next()) {
    let left = slice;
    const result = explorer.explore(unit, strategy, () => --left <= 0);
    total.schedules += result.schedules;
    total.redundant += result.redundant;
    total.steps += result.steps;
    frontier.give(unit, result);
    if (result.failure !== null) return { ...total, failure: result.failure };
    // What is left goes to a file and back.
    if (slice !== Number.POSITIVE_INFINITY) {
      frontier = new Frontier(strategy, schedules, JSON.parse(JSON.stringify(frontier)));
    }
  }
  return { ...total, failure: null };
}
