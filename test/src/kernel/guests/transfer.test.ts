/** Capabilities in messages, and servers that are told when nobody holds what they minted. */
import t from "tap";
import { checkGuest } from "../support/guest-machine.js";

t.setTimeout(180_000);

for (const cores of [1, 2, 3]) {
  t.test(`transfer on ${cores} cores`, (t) => checkGuest(t, "transfer", 24, { cores }));
  t.test(`no senders on ${cores} cores`, (t) => checkGuest(t, "no-senders", 16, { cores }));
}
