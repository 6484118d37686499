/**
 * What the rows of all suites have in common that guests measure: for a number of cores, which there are,
 * and what each asks of the machine.
 *
 * Where there is another core, no client is on core 0: init and the services live there. It is the last to
 * be shared, by the pairs and by the server of a client on the only other core.
 */
import type { GuestName } from "./images.js";
import type { Unit } from "./trial.js";

export interface RowBase {
  readonly name: string;
  /** What rows that differ by size alone are called together. */
  readonly family?: string;
  readonly unit: Unit;
  readonly notes?: readonly string[];
}

/** Measured by a guest on the suite's machine. */
export interface GuestRow extends RowBase {
  readonly kind: "guest";
  readonly guest: GuestName;
  readonly minCores: number;
  /** The core its first thread runs on. */
  readonly core: number;
  /** What it is told besides its time. */
  readonly args: readonly number[];
  /** log2 of the bytes of untyped memory it is given. */
  readonly memoryBits: number;
}

/** What rows are called together that differ by the number at their end; a row's own name if it has none. */
export function familyOf(name: string): string {
  return name.replace(/\.\d+$/, "");
}

/** Whether a row is among those named: by its suite, by itself, or with its family. */
export function isNamed(
  { suite, name }: { readonly suite: string; readonly name: string },
  names: readonly string[],
): boolean {
  return [suite, name, familyOf(name)].some((one) => names.includes(one));
}

/** The core of a row's client, and of a server that is on another one if there is any. */
export function placement(cores: number): { client: number; server: number } {
  return { client: cores > 1 ? 1 : 0, server: cores > 2 ? 2 : 0 };
}

/** A few threads and endpoints. */
const SMALL_BITS = 14;

/** Makes rows that run on any machine, on the client's core, with a little memory, unless `more` says otherwise. */
export function rowMaker(cores: number) {
  const usual = {
    kind: "guest",
    minCores: 1,
    core: placement(cores).client,
    memoryBits: SMALL_BITS,
  } as const;
  return (
    name: string,
    unit: Unit,
    guest: GuestName,
    args: readonly number[],
    more: Partial<GuestRow> = {},
  ): GuestRow => ({ ...usual, name, unit, guest, args, ...more });
}

/** 1, 2, 4 ... and the number itself. */
export function coreCounts(cores: number): number[] {
  const counts: number[] = [];
  for (let count = 1; count < cores; count *= 2) counts.push(count);
  return [...counts, cores];
}

/**
 * The rows of these names, or of the families of these names; all of them without names.
 * @throws RangeError for a name that is neither.
 */
export function selectRows<Row extends RowBase>(
  rows: readonly Row[],
  cores: number,
  names: readonly string[] | undefined,
): readonly Row[] {
  if (names === undefined) return rows;
  for (const name of names) {
    if (rows.some((row) => row.name === name || row.family === name)) continue;
    const known = rows.map((row) => row.name).join(", ");
    throw new RangeError(`no row is called ${JSON.stringify(name)} on ${cores} cores; there are ${known}`);
  }
  return rows.filter(
    ({ name, family }) => names.includes(name) || (family !== undefined && names.includes(family)),
  );
}
