/**
 * Whether a concurrent history could have happened one operation at a time.
 *
 * A history is linearizable if each operation can be given an instant between its begin and its end, so
 * that the operations in the order of their instants are what a sequential specification allows
 * (Herlihy and Wing 1990). The search is Wing and Gong's with Lowe's two improvements (Testing for
 * linearizability, 2017): an operation is given its instant only when the history forces it (another's
 * end is reached), and of two ways to the same configuration one is followed. Events are taken in the
 * order of time, so the work grows with the length of a history and the memory with how many
 * operations overlap.
 *
 * This file knows histories and specifications, and nothing of what they are about.
 */

/** An operation as its caller saw it. */
export interface Timed {
  /** When it was called, in whatever unit. */
  readonly start: number;
  /** When it was answered, not below `start`; Infinity if it never was: then it may have taken effect or not. */
  readonly end: number;
}

/** What a thing does when its operations come one at a time. */
export interface Specification<State, Operation extends Timed> {
  readonly initial: State;
  /**
   * The states that the operation, with the answer it got, can lead to: none if that answer is impossible
   * in this state, several if the specification leaves it open. States are never changed, only replaced.
   */
  step(state: State, operation: Operation): readonly State[];
  /** Equal for states that behave the same. */
  key(state: State): string | number;
  /**
   * Whether `later` makes sense only where `earlier` is: an excerpt of a history that leaves out one
   * leaves out the other, else it would fail for what it lacks. Never, unless told.
   */
  needs?(later: Operation, earlier: Operation): boolean;
}

export interface Limits {
  /** Configurations followed at the same time before the check gives up; 100,000 unless told. */
  readonly configurations?: number;
}

/** What became of a check. */
export type Verdict<Operation extends Timed> =
  | { readonly outcome: "linearizable" }
  /** `culprit` is the operation whose end nothing explains, the earliest such. */
  | { readonly outcome: "violation"; readonly culprit: Operation }
  /** The history has more overlap than the limit allows: nothing is known. */
  | { readonly outcome: "gave-up"; readonly at: Operation };

const DEFAULT_CONFIGURATIONS = 100_000;

/** A state, and which of the operations that are open now have had their instant: a bit each. */
interface Configuration<State> {
  readonly state: State;
  readonly done: bigint;
}

/** Judges a history. Operations may come in any order; those of one thread need not be marked as such. */
export function checkHistory<State, Operation extends Timed>(
  specification: Specification<State, Operation>,
  operations: readonly Operation[],
  limits: Limits = {},
): Verdict<Operation> {
  const limit = limits.configurations ?? DEFAULT_CONFIGURATIONS;
  const open = new OpenOperations<Operation>();
  let configurations = new Map<string, Configuration<State>>();
  const first = { state: specification.initial, done: 0n };
  configurations.set(keyOf(specification, first), first);

  for (const { operation, isEnd } of eventsOf(operations)) {
    if (!isEnd) {
      open.add(operation);
      continue;
    }
    const explained = explain(specification, open, configurations, operation, limit);
    if (explained === null) return { outcome: "gave-up", at: operation };
    if (explained.size === 0) return { outcome: "violation", culprit: operation };
    configurations = explained;
    open.remove(operation);
  }
  return { outcome: "linearizable" };
}

/** Operations that have begun and not ended, each with the bit that stands for it. */
class OpenOperations<Operation> {
  readonly #places: (Operation | undefined)[] = [];
  readonly #bits = new Map<Operation, bigint>();

  add(operation: Operation): void {
    let place = this.#places.indexOf(undefined);
    if (place < 0) place = this.#places.length;
    this.#places[place] = operation;
    this.#bits.set(operation, 1n << BigInt(place));
  }

  remove(operation: Operation): void {
    this.#places[this.#places.indexOf(operation)] = undefined;
    this.#bits.delete(operation);
  }

  bitOf(operation: Operation): bigint {
    return this.#bits.get(operation)!;
  }

  entries(): IterableIterator<[Operation, bigint]> {
    return this.#bits.entries();
  }
}

/**
 * The configurations in which `ending` has had its instant, reached from the given ones by giving
 * instants to open operations, `ending` last; its bit is cleared, for it is over. Null beyond the limit.
 */
function explain<State, Operation extends Timed>(
  specification: Specification<State, Operation>,
  open: OpenOperations<Operation>,
  from: Map<string, Configuration<State>>,
  ending: Operation,
  limit: number,
): Map<string, Configuration<State>> | null {
  const ended = open.bitOf(ending);
  const reached = new Map<string, Configuration<State>>();
  const seen = new Set<string>(from.keys());
  const work = [...from.values()];
  for (let configuration = work.pop(); configuration !== undefined; configuration = work.pop()) {
    const { state, done } = configuration;
    if ((done & ended) !== 0n) {
      const over = { state, done: done & ~ended };
      reached.set(keyOf(specification, over), over);
      continue;
    }
    for (const [operation, bit] of open.entries()) {
      if ((done & bit) !== 0n) continue;
      for (const next of specification.step(state, operation)) {
        const following = { state: next, done: done | bit };
        const key = keyOf(specification, following);
        if (seen.has(key)) continue;
        seen.add(key);
        work.push(following);
      }
    }
    if (seen.size > limit) return null;
  }
  return reached;
}

function keyOf<State, Operation extends Timed>(
  specification: Specification<State, Operation>,
  { state, done }: Configuration<State>,
): string {
  return `${done} ${specification.key(state)}`;
}

interface HistoryEvent<Operation> {
  readonly time: number;
  readonly isEnd: boolean;
  readonly operation: Operation;
}

/** Begins and ends in the order of time. At one instant begins come first: operations that touch overlap. */
function eventsOf<Operation extends Timed>(operations: readonly Operation[]): HistoryEvent<Operation>[] {
  const events: HistoryEvent<Operation>[] = [];
  for (const operation of operations) {
    const { start, end } = operation;
    if (!(start <= end)) throw new RangeError(`an operation ends at ${end}, before its begin at ${start}`);
    events.push({ time: start, isEnd: false, operation });
    if (end !== Number.POSITIVE_INFINITY) events.push({ time: end, isEnd: true, operation });
  }
  return events.sort((a, b) => a.time - b.time || Number(a.isEnd) - Number(b.isEnd));
}

/** Splits operations into histories that have nothing to do with each other: what is linearizable part by part is as a whole. */
export function partition<Operation, Key>(
  operations: Iterable<Operation>,
  keyOf: (operation: Operation) => Key,
): Map<Key, Operation[]> {
  const parts = new Map<Key, Operation[]>();
  for (const operation of operations) {
    const key = keyOf(operation);
    const part = parts.get(key);
    if (part === undefined) parts.set(key, [operation]);
    else part.push(operation);
  }
  return parts;
}
