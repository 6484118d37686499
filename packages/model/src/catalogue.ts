/**
 * The kernel as a program under test: its scenarios and mutants, for campaigns of the explorer. Runs the kernel's own
 * code, transformed, on machines of its own; no product code imports it.
 */
import { fileURLToPath } from "node:url";
import type { Catalogue } from "@capos/explorer/campaign";
import { MUTANTS } from "./mutants.js";
import { SCENARIOS } from "./scenarios.js";

const at = (relative: string): URL => new URL(relative, import.meta.url);

/** Schedules in which each mutant is found: twice as many as it takes with the one that takes most. */
export const HUNT_SCHEDULES = 50_000;

/** The kernel of this clone. */
export const KERNEL: Catalogue = Object.freeze({
  scenarios: SCENARIOS,
  mutants: MUTANTS,
  opener: at("./opener.js").href,
  sources: [
    fileURLToPath(at("./")),
    // Guests of the scenarios run its functions.
    fileURLToPath(new URL("./", import.meta.resolve("@capos/libos"))),
  ],
});
