/** How processes end, with all that is theirs. */
import t from "tap";
import { testGuest } from "../support/guest-tests.js";
import { tests } from "./process-end.js";

for (const cores of [1, 2, 3]) testGuest(t, "process-end", tests.names, { machine: { cores } });
