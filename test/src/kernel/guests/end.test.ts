/** How things end: objects with their last capability, processes with all that is theirs. */
import t from "tap";
import { checkGuest } from "../support/guest-machine.js";

t.setTimeout(180_000);

for (const cores of [1, 2, 3]) {
  t.test(`the last capability on ${cores} cores`, (t) => checkGuest(t, "finalise", 32, { cores }));
  t.test(`the end of a process on ${cores} cores`, (t) => checkGuest(t, "process-end", 19, { cores }));
}
