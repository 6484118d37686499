/** How objects end with their last capability. */
import t from "tap";
import { testGuest } from "../support/guest-tests.js";
import { tests } from "./finalise.js";

for (const cores of [1, 2, 3]) testGuest(t, "finalise", tests.names, { machine: { cores } });
