/**
 * Suite `ipc`: what the kernel's ways to pass control and messages cost, measured by guests from inside a
 * machine; `boot` and `host` rows, by the host on machines of their own.
 */
import { baselineTurns } from "./baseline.js";
import { bytesPerCall, labelOf, longestCollection, measurementOf, numberOf } from "./figures.js";
import {
  argumentsOf,
  checkContext,
  type Finish,
  type Guests,
  measureGuestRows,
  nameOf,
  orAborted,
  type SuiteContext,
  withProgress,
} from "./guest-suite.js";
import { slicesOf } from "./guests/slices.js";
import { type BootRow, type HostRow, type IpcRow, rowsFor } from "./ipc/rows.js";
import { type Beside, compareTurns } from "./paired.js";
import { measuredInTurns } from "./result.js";
import { selectRows } from "./rows.js";
import { timed } from "./series.js";
import type { Measurement } from "./statistics.js";
import { createTrial, type RowName, type Trial } from "./trial.js";
import { SingleOperations, type TurnTaker, takeTurns } from "./turns.js";

export const IPC_SUITE = "ipc";

/** The rows that there are on so many cores. */
export function ipcNames(cores: number): string[] {
  return rowsFor(cores).map(({ name }) => name);
}

/** The long run of calls that collections are looked for in, and the budget from which on it is that long: the usual. */
const LONG_RUN_CALLS = 10_000_000;
const LONG_RUN_SECONDS = 0.5;
const MIN_BOOTS = 6;
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
    const trials = await measureGuestRows<IpcRow>(context, IPC_SUITE, guests, (row, own) =>
      measureGuest(context, row, own),
    );
    for (const row of rows) {
      if (row.kind === "boot") trials.set(row.name, await measureBoot(context, row));
      if (row.kind === "host") trials.set(row.name, await measureHost(context, row));
    }
    return rows.map(({ name }) => trials.get(name)!);
  });
}

async function measureGuest(context: SuiteContext, row: IpcRow, guests: Guests): Promise<Finish> {
  const name = nameOf(IPC_SUITE, row);
  const label = labelOf(IPC_SUITE, row.name);
  const { value: compared, span } = await timed(() => measureInTurns(context, row, guests));
  if (row.garbage !== true) return () => createTrial(named(name, compared.notes), compared, span);

  const calls = Math.round(LONG_RUN_CALLS * Math.min(1, context.seconds / LONG_RUN_SECONDS));
  const figures = await guests.run("garbage", [calls]);
  const bytesPerOperation = bytesPerCall(label, figures);
  const fromNs = numberOf(label, figures, "startNs");
  const toNs = numberOf(label, figures, "endNs");
  const shorter = `The longest collection is that of ${calls} calls, for want of time, not of ${LONG_RUN_CALLS}.`;
  const notes = [...compared.notes, ...(calls < LONG_RUN_CALLS ? [shorter] : [])];
  return (collections) => {
    const longestCollectionNs = longestCollection(collections, row.core, fromNs, toNs);
    return createTrial(named(name, notes), { ...compared, bytesPerOperation, longestCollectionNs }, span);
  };
}

/** A row's name with more notes. */
function named(row: RowName, more: readonly string[]): RowName {
  const notes = [...(row.notes ?? []), ...more];
  return notes.length === 0 ? row : { ...row, notes };
}

/** Measures a row in turns with what it is compared with; alone, where its guest takes no turns. */
async function measureInTurns(
  context: SuiteContext,
  row: IpcRow,
  guests: Guests,
): Promise<Measurement & Pick<Beside, "notes">> {
  const names = measuredInTurns(row.name);
  const label = labelOf(IPC_SUITE, row.name);
  if (names.length === 0)
    return { ...measurementOf(label, await guests.run(row.guest, argumentsOf(context, row))), notes: [] };
  const all = rowsFor(context.cores);
  const others = names.map((name, i): TurnTaker => {
    const other = all.find((one) => one.name === name);
    return other?.kind === "guest" ? guests.turns(other, i + 2) : baselineTurns(name, context);
  });
  const { count } = slicesOf(context.seconds * 1e9);
  const [own, ...beside] = await takeTurns(guests.turns(row, 1), others, (made) => made < count);
  return {
    ...own,
    ...compareTurns(
      own,
      names.map((name, i) => [name, beside[i]!] as const),
    ),
  };
}

/** Boots machines that do nothing, in turns with the start of as many workers that do nothing. */
async function measureBoot(context: SuiteContext, row: BootRow): Promise<Trial> {
  return withProgress(context, row.name, async () => {
    const boots = new SingleOperations(context.seconds, async () => {
      context.signal?.throwIfAborted();
      return (await context.withMachine(row.cores, async () => {})).powerToInitNs;
    });
    const names = measuredInTurns(row.name);
    const others = names.map((name) => baselineTurns(name, context));
    const { value, span } = await timed(async () => {
      const startMs = performance.now();
      const isLong = () => performance.now() - startMs >= names.length * context.seconds * 1000;
      const goesOn = (made: number) => made < MIN_BOOTS || (made < MAX_BOOTS && !isLong());
      return takeTurns(boots, others, goesOn);
    });
    const [own, ...beside] = value;
    const compared = compareTurns(
      own,
      names.map((name, i) => [name, beside[i]!] as const),
    );
    return createTrial(named(nameOf(IPC_SUITE, row), compared.notes), { ...own, ...compared }, span);
  });
}

/** Calls a guest from this process, in turns with a call between two workers. */
async function measureHost(context: SuiteContext, row: HostRow): Promise<Trial> {
  return withProgress(context, row.name, async () => {
    const names = measuredInTurns(row.name);
    const others = names.map((name) => baselineTurns(name, context));
    const { count } = slicesOf(context.seconds * 1e9);
    const { value, span } = await timed(async () => {
      const { value: turns } = await context.withMachine(context.cores, async (machine) => {
        const calls = new SingleOperations(context.seconds, async () => {
          context.signal?.throwIfAborted();
          const startNs = process.hrtime.bigint();
          await machine.call();
          return Number(process.hrtime.bigint() - startNs);
        });
        return takeTurns(calls, others, (made) => made < count);
      });
      return turns;
    });
    const [own, ...beside] = value;
    const compared = compareTurns(
      own,
      names.map((name, i) => [name, beside[i]!] as const),
    );
    return createTrial(named(nameOf(IPC_SUITE, row), compared.notes), { ...own, ...compared }, span);
  });
}
