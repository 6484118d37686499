/**
 * Random clients and servers on four cores, destroyed at random: see the guest. The seeds are printed;
 * `CAPOS_STRESS_SEED` runs another one, `CAPOS_STRESS_ROUNDS` another length.
 */
import process from "node:process";
import t from "tap";
import { checkGuest } from "../support/guest-machine.js";

const { CAPOS_STRESS_SEED, CAPOS_STRESS_ROUNDS } = process.env;
const seeds = CAPOS_STRESS_SEED === undefined ? [1, 20_260_101, 77] : [Number(CAPOS_STRESS_SEED)];

for (const seed of seeds) {
  t.test(`seed ${seed}`, async (t) => {
    t.comment(`CAPOS_STRESS_SEED=${seed}`);
    const args = ["", String(seed), CAPOS_STRESS_ROUNDS ?? "120", "60"];
    await checkGuest(t, "stress", 1, { cores: 4 }, { args });
  });
}
