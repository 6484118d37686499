/**
 * Suite `top`: what it costs a machine that somebody watches it. The rows are those of `call.pairs`, run
 * in turns with nobody watching and with whoever the context lets watch.
 *
 * The speed of a host drifts by more than a watcher costs. So each turn with a watcher is compared with the one
 * beside it without, and the ratio of a row is the median of these ratios, with its confidence interval.
 */
import { median } from "simple-statistics";
import { labelOf, measurementOf, RowError } from "./figures.js";
import {
  argumentsOf,
  checkContext,
  measureGuestRows,
  nameOf,
  orAborted,
  type SuiteContext,
} from "./guest-suite.js";
import { rowsFor } from "./ipc/rows.js";
import { ratioWords } from "./ratio-words.js";
import { type GuestRow, selectRows } from "./rows.js";
import { type Span, timed } from "./series.js";
import { createTrial, type Trial } from "./trial.js";

export const TOP_SUITE = "top";

/** Turns of each kind. */
const TURNS = 12;
const FAMILY = "call.pairs";
const BESIDE = "without top";

/** A context that can have its machine watched. */
export interface WatchedContext extends SuiteContext {
  /** Watches the machine that runs, or lets it be. */
  watch(on: boolean): void;
}

function topRows(cores: number): GuestRow[] {
  return rowsFor(cores)
    .filter((row) => row.kind === "guest" && row.family === FAMILY)
    .map((row) => ({
      ...(row as GuestRow),
      name: `${TOP_SUITE}.${row.name}`,
      family: `${TOP_SUITE}.${FAMILY}`,
    }));
}

/** The rows that there are on so many cores. */
export function topNames(cores: number): string[] {
  return topRows(cores).map(({ name }) => name);
}

/**
 * Measures the named rows. A row takes 24 times the context's seconds, and its guests' preparations.
 *
 * @throws as the other suites do: see `runIpc`
 */
export async function runTop(context: WatchedContext): Promise<Trial[]> {
  checkContext(context);
  const rows = selectRows(topRows(context.cores), context.cores, context.names);
  return orAborted(context.signal, async () => {
    const results = await measureGuestRows(context, TOP_SUITE, rows, async (row, { run }) => {
      const label = labelOf(TOP_SUITE, row.name);
      const turn = async (on: boolean): Promise<number[]> => {
        context.watch(on);
        try {
          return Array.from(measurementOf(label, await run(row.guest, argumentsOf(context, row))).samples);
        } finally {
          context.watch(false);
        }
      };
      // The first is for what is compiled and cached once.
      await turn(false);
      const { value: pairs, span } = await timed(() => takeTurns(turn));
      const result = resultOf(row, label, pairs, span);
      return () => result;
    });
    return rows.map(({ name }) => results.get(name)!);
  });
}

async function takeTurns(turn: (on: boolean) => Promise<number[]>): Promise<Pair[]> {
  const pairs: Pair[] = [];
  for (let i = 0; i < TURNS; i++) {
    // Who goes first takes turns too: a host that gets slower all the time favours neither.
    if (i % 2 === 0) pairs.push({ without: await turn(false), with: await turn(true) });
    else {
      const watched = await turn(true);
      pairs.push({ without: await turn(false), with: watched });
    }
  }
  return pairs;
}

/** Samples of two turns that stood beside each other. */
interface Pair {
  readonly without: number[];
  readonly with: number[];
}

function resultOf(row: GuestRow, label: string, pairs: readonly Pair[], span: Span): Trial {
  if (pairs.some((pair) => pair.with.length === 0 || pair.without.length === 0))
    throw new RowError(label, "a turn has no samples");
  const ratios = pairs.map((pair) => median(pair.with) / median(pair.without));
  const { change, interval } = ratioWords(ratios);
  const note = `A call takes ${change} longer with top: the median of ${ratios.length} pairs of turns, ${interval}.`;
  const named = nameOf(TOP_SUITE, row);
  return createTrial(
    { ...named, notes: [...(named.notes ?? []), note] },
    {
      samples: pairs.flatMap((pair) => pair.with),
      operationsPerSample: 1,
      beside: { [BESIDE]: median(pairs.flatMap((pair) => pair.without)) },
      pairedRatios: { [BESIDE]: ratios },
    },
    span,
  );
}
