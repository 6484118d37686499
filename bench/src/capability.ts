/**
 * Suite `capability`: what it costs to look up, derive, give, take back and end capabilities and what they
 * name, measured by guests from inside a machine. docs/benchmarks.md says exactly what each row measures.
 */
import { type CapabilityRow, rowsFor } from "./capability/rows.js";
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
import { createResult, type Result } from "./result.js";
import { selectRows } from "./rows.js";
import { type Refusal, type Statistics, summariseNet } from "./statistics.js";

export const CAPABILITY_SUITE = "capability";

/** The rows that there are on so many cores; some may need more. */
export function capabilityNames(cores: number): string[] {
  return rowsFor(cores, cores).map(({ name }) => name);
}

/**
 * Measures the named rows. A row that needs more cores than the machine has is refused.
 *
 * @throws RangeError for an unknown name or a number out of range; RowError when a guest fails to
 * measure; what the context throws; the signal's reason when it aborts.
 */
export async function runCapability(context: SuiteContext): Promise<Result[]> {
  checkContext(context);
  const { cores, hardwareThreads, names, signal } = context;
  const rows = selectRows(rowsFor(cores, hardwareThreads), cores, names);
  return orAborted(signal, async () => {
    const results = await measureGuestRows(context, CAPABILITY_SUITE, rows, async (row, run) => {
      const result = resultOf(row, await run(row.guest, argumentsOf(context, row)));
      return () => result;
    });
    return rows.map(({ name }) => results.get(name)!);
  });
}

function resultOf(row: CapabilityRow, figures: Figures): Result {
  const label = labelOf(CAPABILITY_SUITE, row.name);
  const { descendants, beside } = row;
  const { keptThroughput } = figures;
  const plain = beside === undefined ? undefined : plainCall(label, figures);
  const name = nameOf(CAPABILITY_SUITE, row);
  const notes = [...(row.notes ?? [])];
  if (plain !== undefined && "refused" in plain) notes.push(`No ${beside} to compare with: ${plain.refused}`);
  return createResult(
    { ...name, ...(notes.length > 0 && { notes }) },
    {
      ...measurementOf(label, figures),
      ...(descendants !== undefined && { descendants }),
      ...(typeof keptThroughput === "number" && { keptThroughput }),
      ...(plain !== undefined && "p50" in plain && { beside: { [beside!]: plain.p50 } }),
    },
  );
}

/** What the guest measured beside the row, the loop's overhead taken off as from the row. */
function plainCall(label: string, figures: Figures): Statistics | Refusal {
  return summariseNet({
    samples: listOf(label, figures, "plainSamples"),
    overhead: listOf(label, figures, "plainOverhead"),
    operationsPerSample: 1,
  });
}
