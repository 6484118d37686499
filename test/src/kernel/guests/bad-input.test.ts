/** Every operation on capabilities against every kind of wrong argument. */
import t from "tap";
import { checkGuest } from "../support/guest-machine.js";

t.setTimeout(300_000);

for (const cores of [1, 2])
  t.test(`wrong arguments on ${cores} cores`, (t) => checkGuest(t, "bad-input", 26, { cores }));
