/** The rows of suite `capability`: for a machine, which there are, and how each is measured. */
import { Method } from "@capos/abi";
import { Others } from "../guests/others.js";
import { placement, rowMaker } from "../rows.js";
import type { SingleRow } from "../single-guests.js";

/** How many descendants, and how many revokes in a row make a sample long enough. */
const DESCENDANT_COUNTS = [
  [1, 32],
  [10, 16],
  [100, 1],
  [1000, 1],
  [10_000, 1],
] as const;
const CHAIN = 1000;
const HOLDER_COUNTS = [1, 2, 4, 8];
const SPREAD = 1000;
/** Objects of one retype in `retype.batch`. */
const BATCH = 64;

/** log2 of bytes: a CNode of 4,096 slots, and of 8,192 with a MiB of objects. */
const SLOTS_BITS = 19;
const RETYPE_BITS = 21;
/** A process with 2,048 slots, aligned behind what else there is. */
const RECEIVER_BITS = 19;
const SMALL_BITS = 14;
const PROCESS_BITS = 15;
const LOAD_BITS = 17;
const PAIR_BITS = 12;

/** All rows, in the order in which they are measured and shown. */
export function rowsFor(cores: number, hardwareThreads: number): SingleRow[] {
  const guest = rowMaker(cores);
  const { client } = placement(cores);
  const slots = (name: string, method: Method) =>
    guest(name, `ns/${name}`, "slots", [method], { memoryBits: SLOTS_BITS });
  // The revoker has a hardware thread, as each pair has.
  const pairs = Math.max(1, Math.min(cores, hardwareThreads) - 1);

  return [
    guest("lookup", "ns/lookup", "lookup", [0]),
    guest("lookup.fresh", "ns/lookup", "lookup", [1]),
    slots("copy", Method.CNODE_COPY),
    slots("mint", Method.CNODE_MINT),
    slots("move", Method.CNODE_MOVE),
    slots("delete", Method.CNODE_DELETE),
    guest("retype", "ns/object", "retype", [1], { memoryBits: RETYPE_BITS }),
    guest("retype.batch", "ns/object", "retype", [BATCH], { memoryBits: RETYPE_BITS }),
    ...["transfer.window", "transfer.single-slot"].map((name, single) => ({
      ...guest(name, "ns/round trip", "transfer", [single], { memoryBits: RECEIVER_BITS }),
      beside: "plain call",
    })),
    ...DESCENDANT_COUNTS.map(([descendants, row]) => ({
      ...guest(`revoke.by-descendants.${descendants}`, "ns/revoke", "revoke", [descendants, 0, row], {
        family: "revoke.by-descendants",
        // The CNode, and as much again.
        memoryBits: Math.max(SMALL_BITS, Math.ceil(Math.log2(row * descendants + 1)) + 7),
      }),
      descendants,
    })),
    { ...guest(`revoke.chain.${CHAIN}`, "ns/revoke", "revoke", [CHAIN, 1, 1]), descendants: CHAIN },
    ...HOLDER_COUNTS.map((holders) => ({
      ...guest(`revoke.by-holders.${holders}`, "ns/revoke", "holders", [holders], {
        family: "revoke.by-holders",
        minCores: holders,
        memoryBits: RECEIVER_BITS + Math.log2(holders),
      }),
      descendants: SPREAD,
    })),
    {
      ...guest("revoke.under-load", "ns/revoke", "pairs", [pairs, 1], {
        minCores: 2,
        memoryBits: Math.max(LOAD_BITS, PAIR_BITS + 1 + Math.ceil(Math.log2(pairs))),
        notes: [`Pairs that call meanwhile, each on a core of its own: ${pairs}.`],
      }),
      descendants: SPREAD,
    },
    ...(
      [
        ["idle", Others.IDLE],
        ["guests", Others.GUESTS],
        ["traps", Others.TRAPS],
      ] as const
    ).map(([name, others]) =>
      guest(`grace-period.${name}`, "ns/grace period", "grace", [others], {
        family: "grace-period",
        minCores: 2,
        memoryBits: Math.max(SMALL_BITS, 11 + Math.ceil(Math.log2(cores))),
      }),
    ),
    guest("process.create-kill", "ns/process", "process", [], {
      memoryBits: PROCESS_BITS,
      notes: ["Evaluating the image, and having the memory back, are part of it."],
    }),
  ].map((row) => ({ ...row, core: client }));
}
