/**
 * The images of the benchmark's guests: `build-images` makes them, suites hand them to machines.
 */
import { readFileSync } from "node:fs";
import type { Image } from "@capos/abi";

/** Programs in `guests/` that have an image of that name. */
export const GUESTS = Object.freeze([
  "access",
  "call",
  "fault",
  "garbage",
  "grace",
  "holders",
  "lookup",
  "mapping",
  "notify",
  "null-trap",
  "pairs",
  "parked",
  "process",
  "retype",
  "revoke",
  "slots",
  "thread",
  "transfer",
  "yield",
] as const);

export type GuestName = (typeof GUESTS)[number];

/** Where `build-images` leaves an image. */
export function benchImageFile(name: GuestName): URL {
  return new URL(`./images/${name}.json`, import.meta.url);
}

/** The images by name. Throws if they have not been built. */
export function loadBenchImages(): Readonly<Record<GuestName, Image>> {
  const entries = GUESTS.map((name) => [name, JSON.parse(readFileSync(benchImageFile(name), "utf8"))]);
  return Object.fromEntries(entries) as Record<GuestName, Image>;
}
