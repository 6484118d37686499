/** Deriving capabilities as guests see it: copies, moves, seals, limits in time, and every bad argument. */
import t from "tap";
import { checkGuest } from "../support/guest-machine.js";

t.setTimeout(180_000);

for (const cores of [1, 2, 3]) {
  t.test(`deriving on ${cores} cores`, (t) => checkGuest(t, "derive", 13, { cores }));
  t.test(`sealed and limited on ${cores} cores`, (t) => checkGuest(t, "sealed", 11, { cores }));
}
