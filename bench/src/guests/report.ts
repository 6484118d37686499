/**
 * How a guest hands its figures to the host: lines of JSON on the console, each an object. Numbers are
 * set, lists are joined in the order of the lines, so that no line grows longer than a console passes on.
 */
import type { Os, Steps } from "@capos/libos";

/** What the lines of one guest make together. */
export type Figures = Readonly<Record<string, number | readonly number[]>>;

/** Numbers in a line: some 3 KB. */
const LIST_LENGTH = 400;

/** Prints figures. Lists are rounded to 10 ps, which is below what any clock tells. */
export function* report(os: Os, figures: Figures): Steps<void> {
  for (const name of Object.keys(figures)) {
    const value = figures[name];
    if (typeof value === "number") yield* os.print(JSON.stringify({ [name]: value }));
    else {
      // An empty list is told too: what is missing is a mistake, what is empty a host that gave no time.
      for (let at = 0; at === 0 || at < value.length; at += LIST_LENGTH) {
        const part = value.slice(at, at + LIST_LENGTH).map((ns) => Math.round(ns * 100) / 100);
        yield* os.print(JSON.stringify({ [name]: part }));
      }
    }
  }
}

/** What samplers and trials have. */
interface Sampled {
  readonly samples: readonly number[];
  readonly overhead: readonly number[];
  readonly operationsPerSample: number;
  readonly sliceEnds?: readonly number[];
}

/** Prints what a sampler, or trials, have. */
export function* reportSamples(os: Os, sampled: Sampled): Steps<void> {
  const { samples, overhead, operationsPerSample, sliceEnds = [] } = sampled;
  yield* report(os, { samples, overhead, operationsPerSample, sliceEnds });
}

/** The guest's arguments, which are numbers. */
export function numbers(os: Os): number[] {
  return os.args.map(Number);
}
