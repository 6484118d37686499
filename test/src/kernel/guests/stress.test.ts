/**
 * Random clients and servers on four cores, destroyed at random: see the guest. The seed is in the test's name;
 * `CAPOS_STRESS_SEED` runs another one, `CAPOS_STRESS_ROUNDS` another length.
 */
import process from "node:process";
import t from "tap";
import { testGuest } from "../support/guest-tests.js";
import { tests } from "./stress.js";

const { CAPOS_STRESS_SEED, CAPOS_STRESS_ROUNDS } = process.env;
const seeds = CAPOS_STRESS_SEED === undefined ? [1, 20_260_101, 77] : [Number(CAPOS_STRESS_SEED)];

for (const seed of seeds)
  testGuest(t, "stress", tests.names, {
    machine: { cores: 4 },
    guest: { args: [String(seed), CAPOS_STRESS_ROUNDS ?? "120", "60"] },
    variant: `CAPOS_STRESS_SEED=${seed}`,
  });
