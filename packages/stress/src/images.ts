/**
 * The image of the suite's guest: `build-images` makes it, `runStress` hands it to machines.
 */
import { readFileSync } from "node:fs";
import type { Image } from "@capos/abi";

/** Where `build-images` leaves it. */
export const STRESS_IMAGE = new URL("./images/stress.json", import.meta.url);

/** Throws if it has not been built. */
export function loadStressImage(): Image {
  return JSON.parse(readFileSync(STRESS_IMAGE, "utf8")) as Image;
}
