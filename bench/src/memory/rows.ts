/** The rows of suite `memory`: for a machine, which there are, and how each is measured. */
import { Access } from "../guests/accesses.js";
import { placement, rowMaker } from "../rows.js";
import type { SingleRow } from "../single-guests.js";

/** Frames of so many pages: entries of one table, one entry of the table above. */
const PAGE_COUNTS = [1, 16, 256, 512];

/** A frame, tables and an address space. */
const ACCESS_BITS = 19;
const MAPPING_BITS = 23;

/** All rows, in the order in which they are measured and shown. */
export function memoryRows(cores: number): SingleRow[] {
  const guest = rowMaker(cores);
  const { client } = placement(cores);
  const access = (name: string, unit: `ns/${string}`, kind: Access, beside: string): SingleRow => ({
    ...guest(name, unit, "access", [kind], { memoryBits: ACCESS_BITS }),
    beside,
  });
  return [
    access("load", "ns/load", Access.LOAD, "array"),
    access("store", "ns/store", Access.STORE, "array"),
    access("copy.64KiB", "ns/copy", Access.COPY, "array slice"),
    { ...guest("fault", "ns/round trip", "fault", [], { memoryBits: ACCESS_BITS }), beside: "plain call" },
    ...[0, 1].flatMap((shared) =>
      PAGE_COUNTS.map((pages) =>
        guest(
          `map.${shared === 1 ? "shared" : "own"}.${pages}`,
          "ns/map and unmap",
          "mapping",
          [pages, shared],
          {
            family: `map.${shared === 1 ? "shared" : "own"}`,
            minCores: shared + 1,
            memoryBits: MAPPING_BITS,
          },
        ),
      ),
    ),
  ].map((row) => ({ ...row, core: client }));
}
