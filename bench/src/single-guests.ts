/**
 * Rows that one guest measures by itself, and perhaps a plain operation beside its own, batch by batch in turn: what
 * the suites `capability` and `memory` are made of.
 */
import { labelOf, listOf, measurementOf } from "./figures.js";
import {
  argumentsOf,
  checkContext,
  measureGuestRows,
  nameOf,
  orAborted,
  type SuiteContext,
} from "./guest-suite.js";
import type { Figures } from "./guests/report.js";
import { ratiosOfSamples } from "./paired.js";
import { type GuestRow, selectRows } from "./rows.js";
import { type Span, timed } from "./series.js";
import { type Measurement, netSamples, type Refusal, type Statistics, summariseNet } from "./statistics.js";
import { createTrial, type Trial } from "./trial.js";

export interface SingleRow extends GuestRow {
  /** How many capabilities the measured revoke ends. */
  readonly descendants?: number;
  /** What the plain operation is called that its guest measures in between. */
  readonly beside?: string;
}

/**
 * Measures the named rows of a suite. A row that needs more cores than the machine has is refused.
 *
 * @throws RangeError for an unknown name or a number out of range; RowError when a guest fails to
 * measure; what the context throws; the signal's reason when it aborts.
 */
export async function runSingleGuests(
  context: SuiteContext,
  suite: string,
  all: readonly SingleRow[],
): Promise<Trial[]> {
  checkContext(context);
  const { cores, names, signal } = context;
  const rows = selectRows(all, cores, names);
  return orAborted(signal, async () => {
    const trials = await measureGuestRows(context, suite, rows, async (row, { run }) => {
      const { value, span } = await timed(() => run(row.guest, argumentsOf(context, row)));
      const trial = trialOf(suite, row, value, span);
      return () => trial;
    });
    return rows.map(({ name }) => trials.get(name)!);
  });
}

function trialOf(suite: string, row: SingleRow, figures: Figures, span: Span): Trial {
  const label = labelOf(suite, row.name);
  const { descendants, beside } = row;
  const { keptThroughput } = figures;
  const plain = beside === undefined ? undefined : plainCall(label, figures);
  const name = nameOf(suite, row);
  const notes = [...(row.notes ?? [])];
  if (plain !== undefined && "refused" in plain) notes.push(`No ${beside} to compare with: ${plain.refused}`);
  return createTrial(
    { ...name, ...(notes.length > 0 && { notes }) },
    {
      ...measurementOf(label, figures),
      ...(descendants !== undefined && { descendants }),
      ...(typeof keptThroughput === "number" && { keptThroughput }),
      ...(plain !== undefined && "p50" in plain && besideOf(beside!, plain, label, figures)),
    },
    span,
  );
}

/** The two took turns batch by batch, so the ratio of each slice is of samples that stood beside each other. */
function besideOf(name: string, plain: Statistics, label: string, figures: Figures): Partial<Measurement> {
  const own = netSamples(measurementOf(label, figures));
  const other = netSamples(plainMeasurement(label, figures));
  if ("refused" in own || "refused" in other) return {};
  return { beside: { [name]: plain.p50 }, pairedRatios: { [name]: ratiosOfSamples(own, other) } };
}

/** What the guest measured beside the row, the loop's overhead taken off as from the row. */
function plainCall(label: string, figures: Figures): Statistics | Refusal {
  return summariseNet(plainMeasurement(label, figures));
}

function plainMeasurement(label: string, figures: Figures): Measurement {
  return {
    samples: listOf(label, figures, "plainSamples"),
    overhead: listOf(label, figures, "plainOverhead"),
    operationsPerSample: 1,
  };
}
