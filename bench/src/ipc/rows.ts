/**
 * The rows of suite `ipc`: for a number of cores, which there are, and how each is measured.
 *
 * Where there is another core, no client is on core 0: init and the services live there. It is the last to
 * be shared, by the pairs and by the server of a client on the only other core.
 */
import type { GuestName } from "../images.js";
import type { Unit } from "../result.js";

interface RowBase {
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
  /** Whether the guest `garbage` is run after it. */
  readonly garbage?: boolean;
}

/** Measured by the host, on machines of their own. */
export interface BootRow extends RowBase {
  readonly kind: "boot";
  readonly cores: number;
}

export type Row = GuestRow | BootRow;

const CALL_WORDS = 4;
const WORD_COUNTS = [0, 4, 8, 16, 64];
/** A few threads and endpoints. */
const SMALL_BITS = 14;
/** Four thousand threads. */
const THREADS_BITS = 22;
/** Two threads and an endpoint, rounded up. */
const PAIR_BITS = 12;

/** 1, 2, 4 ... and the number itself. */
export function coreCounts(cores: number): number[] {
  const counts: number[] = [];
  for (let count = 1; count < cores; count *= 2) counts.push(count);
  return [...counts, cores];
}

/** All rows, in the order in which they are measured and shown. */
export function rowsFor(cores: number): Row[] {
  const client = cores > 1 ? 1 : 0;
  const server = cores > 2 ? 2 : 0;
  const guest = (
    name: string,
    unit: Unit,
    program: GuestName,
    args: number[],
    more: Partial<GuestRow> = {},
  ) =>
    ({
      kind: "guest",
      name,
      unit,
      guest: program,
      args,
      minCores: 1,
      core: client,
      memoryBits: SMALL_BITS,
      ...more,
    }) as const;
  const between = { minCores: 2 };

  return [
    guest("call.same-core", "ns/round trip", "call", [CALL_WORDS, client, 0], { garbage: true }),
    guest("call.cross-core", "ns/round trip", "call", [CALL_WORDS, server, 0], between),
    guest("call.cross-core.parked", "ns/round trip", "parked", [server], between),
    guest("call.cross-core.busy", "ns/round trip", "call", [CALL_WORDS, server, 1], between),
    ...coreCounts(cores).map((pairs) =>
      guest(`call.pairs.${pairs}`, "ns/call", "pairs", [pairs], {
        family: "call.pairs",
        core: 0,
        memoryBits: Math.max(SMALL_BITS, PAIR_BITS + Math.ceil(Math.log2(pairs))),
      }),
    ),
    ...WORD_COUNTS.map((words) =>
      guest(`call.words.${words}`, "ns/round trip", "call", [words, client, 0], { family: "call.words" }),
    ),
    guest("notify.same-core", "ns/one way", "notify", [client]),
    guest("notify.cross-core", "ns/one way", "notify", [server], between),
    guest("yield", "ns/yield", "yield", []),
    guest("null-trap", "ns/trap", "null-trap", []),
    guest("thread.create-destroy", "ns/thread", "thread", [], {
      memoryBits: THREADS_BITS,
      notes: ["Evaluating the image, as every new thread does, is part of it."],
    }),
    ...coreCounts(cores).map(
      (count) =>
        ({ kind: "boot", name: `boot.${count}`, family: "boot", unit: "ns/boot", cores: count }) as const,
    ),
  ];
}

/**
 * The rows of these names, or of the families of these names; all of them without names.
 * @throws RangeError for a name that is neither.
 */
export function selectRows(cores: number, names: readonly string[] | undefined): Row[] {
  const rows = rowsFor(cores);
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
