/** Revoke as guests see it: what ends, what stays, who is woken, and two at once. */
import t from "tap";
import { checkGuest } from "../support/guest-machine.js";

t.setTimeout(180_000);

for (const cores of [1, 2, 3]) {
  t.test(`revoke on ${cores} cores`, (t) => checkGuest(t, "revoke", 14, { cores }));
  t.test(`the reach of revoke on ${cores} cores`, (t) => checkGuest(t, "revoke-reach", 18, { cores }));
  t.test(`revokes that meet on ${cores} cores`, (t) => checkGuest(t, "revoke-race", 9, { cores }));
}
