/** Memory as guests address it. */
import t from "tap";
import { testGuest } from "../support/guest-tests.js";
import { tests } from "./memory.js";

for (const cores of [1, 2, 3]) testGuest(t, "memory", tests.names, { machine: { cores } });
