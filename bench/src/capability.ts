/**
 * Suite `capability`: what it costs to look up, derive, give, take back and end capabilities and what they
 * name, measured by guests from inside a machine. docs/benchmarks.md says exactly what each row measures.
 */
import { type CapabilityRow, rowsFor } from "./capability/rows.js";
import { labelOf, listOf, measurementOf, RowError } from "./figures.js";
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
import { summariseNet } from "./statistics.js";

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
  return createResult(nameOf(CAPABILITY_SUITE, row), {
    ...measurementOf(label, figures),
    ...(descendants !== undefined && { descendants }),
    ...(typeof keptThroughput === "number" && { keptThroughput }),
    ...(beside !== undefined && { beside: { [beside]: plainMedian(label, figures) } }),
  });
}

/** The median of the plain operation, its loop's overhead taken off like the row's. */
function plainMedian(label: string, figures: Figures): number {
  const statistics = summariseNet({
    samples: listOf(label, figures, "plainSamples"),
    overhead: listOf(label, figures, "plainOverhead"),
    operationsPerSample: 1,
  });
  if ("refused" in statistics) throw new RowError(label, `its plain operation: ${statistics.refused}`);
  return statistics.p50;
}
