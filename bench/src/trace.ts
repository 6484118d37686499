/**
 * Suite `trace`: what trace points and traces cost a call on one core. The rows are `call.same-core` on machines that
 * are traced in different ways, each on a machine of its own, in turns.
 *
 * The speed of a host drifts, and so does what V8 makes of the same kernel from one machine to the next. So each round
 * begins and ends with a kernel that has no trace points, the others are compared with the mean of the two,
 * and the ratio of a row is the median of all rounds, with its confidence interval. How far the two of a round are apart
 * is what no figure here can be more exact than.
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
import { createTrial, isRefused, type Trial } from "./trial.js";

export const TRACE_SUITE = "trace";

/** How a machine is traced: by a kernel without trace points, by one whose events are all off, as usual, and with the words of messages. */
export type Tracing = "absent" | "silent" | "usual" | "words";

const TRACINGS: readonly Tracing[] = Object.freeze(["absent", "silent", "usual", "words"]);
const ROUNDS = 8;
const ROW = "call.same-core";

/** A context that can have its machines traced. */
export interface TracedContext extends SuiteContext {
  /** The same context, its machines traced. */
  traced(tracing: Tracing): SuiteContext;
}

interface TraceRow extends GuestRow {
  readonly tracing: Tracing;
}

function traceRows(cores: number): TraceRow[] {
  const call = rowsFor(cores).find(({ name }) => name === ROW) as GuestRow;
  return TRACINGS.map((tracing) => ({ ...call, name: `${TRACE_SUITE}.${tracing}`, tracing }));
}

/** The rows that there are on so many cores. */
export function traceNames(cores: number): string[] {
  return traceRows(cores).map(({ name }) => name);
}

/** The samples of one round, by how the machine was traced; and those of the round's last turn. */
type Round = Readonly<Record<Tracing | "again", number[]>>;

/**
 * Measures the named rows. All of them are measured whichever are named, for 40 times the context's seconds.
 *
 * @throws as the other suites do: see `runIpc`
 */
export async function runTrace(context: TracedContext): Promise<Trial[]> {
  checkContext(context);
  const all = traceRows(context.cores);
  const rows = selectRows(all, context.cores, context.names);
  return orAborted(context.signal, async () => {
    const { value: rounds, span } = await timed(async () => {
      const made: Round[] = [];
      for (let i = 0; i < ROUNDS; i++) made.push(await takeRound(context, all, i % 2 === 1));
      return made;
    });
    return rows.map((row) => trialOf(row, rounds, span));
  });
}

/** Who goes first takes turns too: a host that gets slower all the time favours none. */
async function takeRound(
  context: TracedContext,
  rows: readonly TraceRow[],
  backwards: boolean,
): Promise<Round> {
  const samples: Partial<Record<Tracing | "again", number[]>> = {};
  const [absent, ...others] = rows as [TraceRow, ...TraceRow[]];
  samples.absent = await measure(context, absent);
  for (const row of backwards ? others.toReversed() : others)
    samples[row.tracing] = await measure(context, row);
  samples.again = await measure(context, absent);
  return samples as Round;
}

/** Turns that are tried before one that cannot be measured is given up: others want the host's CPUs too. */
const TRIES = 5;

async function measure(context: TracedContext, row: TraceRow): Promise<number[]> {
  const label = labelOf(TRACE_SUITE, row.name);
  let refused = "";
  for (let i = 0; i < TRIES; i++) {
    const traced = context.traced(row.tracing);
    const trials = await measureGuestRows(traced, TRACE_SUITE, [row], async (_row, { run }) => {
      const { value, span } = await timed(() => run(row.guest, argumentsOf(context, row)));
      const trial = createTrial(nameOf(TRACE_SUITE, row), measurementOf(label, value), span);
      return () => trial;
    });
    const trial = trials.get(row.name)!;
    if (!isRefused(trial)) return Array.from(trial.samples);
    refused = trial.refused;
  }
  throw new RowError(label, refused);
}

function trialOf(row: TraceRow, rounds: readonly Round[], span: Span): Trial {
  const { tracing } = row;
  const isAbsent = tracing === "absent";
  const ratios = rounds.map((round) =>
    isAbsent
      ? median(round.again) / median(round.absent)
      : (2 * median(round[tracing])) / (median(round.absent) + median(round.again)),
  );
  const { change, interval } = ratioWords(ratios);
  const what = isAbsent
    ? `Twice the same in each of ${rounds.length} rounds: apart by ${change}, ${interval}.`
    : `A call takes ${change} longer than without trace points: the median of ${rounds.length} rounds, ${interval}.`;
  const named = nameOf(TRACE_SUITE, row);
  const absent = rounds.flatMap((round) => [...round.absent, ...round.again]);
  return createTrial(
    { ...named, notes: [...(named.notes ?? []), what] },
    {
      samples: isAbsent ? absent : rounds.flatMap((round) => round[tracing]),
      operationsPerSample: 1,
      ...(!isAbsent && {
        beside: { [`${TRACE_SUITE}.absent`]: median(absent) },
        pairedRatios: { [`${TRACE_SUITE}.absent`]: ratios },
      }),
    },
    span,
  );
}
