/** The rows of suite `ipc`: for a number of cores, which there are, and how each is measured. */
import { coreCounts, type GuestRow, placement, type RowBase, rowMaker } from "../rows.js";

/** Measured by a guest, and by the guest `garbage` after it if that is asked for. */
export interface IpcRow extends GuestRow {
  readonly garbage?: boolean;
}

/** Measured by the host, on machines of their own. */
export interface BootRow extends RowBase {
  readonly kind: "boot";
  readonly cores: number;
}

/** Measured by the host, which calls a guest. */
export interface HostRow extends RowBase {
  readonly kind: "host";
}

export type Row = IpcRow | BootRow | HostRow;

const CALL_WORDS = 4;
const WORD_COUNTS = [0, 4, 8, 16, 64];
/** Two threads and an endpoint, rounded up, for each pair; and the least for all of them. */
const PAIR_BITS = 12;
const PAIRS_BITS = 14;
/** Twice what the threads are made of, over and over. */
const THREADS_BITS = 15;

/** All rows, in the order in which they are measured and shown. */
export function rowsFor(cores: number): Row[] {
  const { client, server } = placement(cores);
  const guest = rowMaker(cores);
  const between = { minCores: 2 };

  return [
    { ...guest("call.same-core", "ns/round trip", "call", [CALL_WORDS, client, 0]), garbage: true },
    guest("call.cross-core", "ns/round trip", "call", [CALL_WORDS, server, 0], between),
    guest("call.cross-core.parked", "ns/round trip", "parked", [server], between),
    guest("call.cross-core.busy", "ns/round trip", "call", [CALL_WORDS, server, 1], between),
    ...coreCounts(cores).map((pairs) =>
      guest(`call.pairs.${pairs}`, "ns/call", "pairs", [pairs, 0], {
        family: "call.pairs",
        core: 0,
        memoryBits: Math.max(PAIRS_BITS, PAIR_BITS + Math.ceil(Math.log2(pairs))),
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
    { kind: "host", name: "host.call", unit: "ns/round trip" },
    ...coreCounts(cores).map(
      (count) =>
        ({ kind: "boot", name: `boot.${count}`, family: "boot", unit: "ns/boot", cores: count }) as const,
    ),
  ];
}
