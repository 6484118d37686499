/**
 * The shortest excerpt of a history that still cannot have happened: what explains a violation.
 *
 * Nothing after the end that cannot be explained has to do with it. Of what is left, operations are
 * taken out, in ever smaller pieces, as long as the rest is still a violation (Zeller's delta
 * debugging), once from the oldest on and once from the newest on, until no single one can go. An operation goes only with
 * all those that need it (`Specification.needs`): an excerpt must fail for what it shows, not for what
 * it leaves out.
 */
import { checkHistory, type Limits, type Specification, type Timed } from "./linearizability.js";

/** Operations, in the order of their begins; the history itself if it is no violation. */
export function shortestExcerpt<State, Operation extends Timed>(
  specification: Specification<State, Operation>,
  operations: readonly Operation[],
  limits: Limits = {},
): readonly Operation[] {
  const verdict = checkHistory(specification, operations, limits);
  if (verdict.outcome !== "violation") return operations;
  const inOrder = [...operations].sort((a, b) => a.start - b.start);
  const before = inOrder.filter(({ start }) => start <= verdict.culprit.end);
  const fails = (part: readonly Operation[]) =>
    checkHistory(specification, part, limits).outcome === "violation";

  const oldestFirst = reduce(specification, before, fails, false);
  const newestFirst = reduce(specification, before, fails, true);
  return newestFirst.length < oldestFirst.length ? newestFirst : oldestFirst;
}

function reduce<State, Operation extends Timed>(
  specification: Specification<State, Operation>,
  operations: readonly Operation[],
  fails: (part: readonly Operation[]) => boolean,
  newestFirst: boolean,
): readonly Operation[] {
  let kept = operations;
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let changed = true; changed; ) {
      changed = false;
      for (let at = 0; at < kept.length; ) {
        const from = newestFirst ? Math.max(0, kept.length - at - size) : at;
        const piece = kept.slice(from, newestFirst ? kept.length - at : at + size);
        const rest = without(specification, kept, new Set(piece));
        if (rest.length < kept.length && fails(rest)) {
          kept = rest;
          changed = true;
        } else at += size;
      }
      // Pieces of more than one are only a way to be fast.
      if (size > 1) break;
    }
  }
  return kept;
}

/** What is left without some operations and all that need them. */
function without<State, Operation extends Timed>(
  specification: Specification<State, Operation>,
  operations: readonly Operation[],
  gone: Set<Operation>,
): readonly Operation[] {
  if (specification.needs !== undefined) {
    for (let grew = true; grew; ) {
      grew = false;
      for (const operation of operations) {
        if (gone.has(operation)) continue;
        for (const lost of gone) {
          if (!specification.needs(operation, lost)) continue;
          gone.add(operation);
          grew = true;
          break;
        }
      }
    }
  }
  return operations.filter((operation) => !gone.has(operation));
}
