/**
 * Suite `ipc`: what the kernel's ways to pass control and messages cost, measured by guests from inside a
 * machine; `boot` rows, by the host on machines of their own.
 */
import { bytesPerCall, labelOf, longestCollection, measurementOf, numberOf } from "./figures.js";
import {
  argumentsOf,
  checkContext,
  type Finish,
  measureGuestRows,
  nameOf,
  orAborted,
  type RunGuest,
  type SuiteContext,
  withProgress,
} from "./guest-suite.js";
import { type BootRow, type IpcRow, rowsFor } from "./ipc/rows.js";
import { selectRows } from "./rows.js";
import { timed } from "./series.js";
import { createTrial, type Trial } from "./trial.js";

export const IPC_SUITE = "ipc";

/** The rows that there are on so many cores. */
export function ipcNames(cores: number): string[] {
  return rowsFor(cores).map(({ name }) => name);
}

/** The long run of calls that collections are looked for in, and the budget from which on it is that long: the usual. */
const LONG_RUN_CALLS = 10_000_000;
const LONG_RUN_SECONDS = 0.5;
const MIN_BOOTS = 3;
const MAX_BOOTS = 20;

/**
 * Measures the named rows. A row that needs more cores than the machine has is refused.
 *
 * @throws RangeError for an unknown name or a number out of range; RowError when a guest fails to
 * measure; what the context throws; the signal's reason when it aborts.
 */
export async function runIpc(context: SuiteContext): Promise<Trial[]> {
  checkContext(context);
  const rows = selectRows(rowsFor(context.cores), context.cores, context.names);
  return orAborted(context.signal, async () => {
    const guests = rows.filter((row) => row.kind === "guest");
    const trials = await measureGuestRows<IpcRow>(context, IPC_SUITE, guests, (row, run) =>
      measureGuest(context, row, run),
    );
    for (const row of rows) if (row.kind === "boot") trials.set(row.name, await measureBoot(context, row));
    return rows.map(({ name }) => trials.get(name)!);
  });
}

async function measureGuest(context: SuiteContext, row: IpcRow, run: RunGuest): Promise<Finish> {
  const label = labelOf(IPC_SUITE, row.name);
  const name = nameOf(IPC_SUITE, row);
  const { value, span } = await timed(() => run(row.guest, argumentsOf(context, row)));
  const measurement = measurementOf(label, value);
  if (row.garbage !== true) return () => createTrial(name, measurement, span);

  const calls = Math.round(LONG_RUN_CALLS * Math.min(1, context.seconds / LONG_RUN_SECONDS));
  const figures = await run("garbage", [calls]);
  const bytesPerOperation = bytesPerCall(label, figures);
  const fromNs = numberOf(label, figures, "startNs");
  const toNs = numberOf(label, figures, "endNs");
  const shorter = `The longest collection is that of ${calls} calls, for want of time, not of ${LONG_RUN_CALLS}.`;
  const notes = [...(row.notes ?? []), ...(calls < LONG_RUN_CALLS ? [shorter] : [])];
  return (collections) => {
    const longestCollectionNs = longestCollection(collections, row.core, fromNs, toNs);
    return createTrial(
      { ...name, ...(notes.length > 0 && { notes }) },
      { ...measurement, bytesPerOperation, longestCollectionNs },
      span,
    );
  };
}

/** Boots machines that do nothing. The first is a warm-up: it reads files and compiles them. */
async function measureBoot(context: SuiteContext, row: BootRow): Promise<Trial> {
  return withProgress(context, row.name, async () => {
    const samples: number[] = [];
    const startMs = performance.now();
    for (let boot = 0; ; boot++) {
      context.signal?.throwIfAborted();
      const { powerToInitNs } = await context.withMachine(row.cores, async () => {});
      if (boot > 0) samples.push(powerToInitNs);
      const isLong = performance.now() - startMs >= context.seconds * 1000;
      if (samples.length >= MAX_BOOTS || (isLong && samples.length >= MIN_BOOTS)) break;
    }
    const span = { startMs, endMs: performance.now() };
    return createTrial(nameOf(IPC_SUITE, row), { samples, operationsPerSample: 1 }, span);
  });
}
