/** How threads and processes end, as guests see it, on two and on three cores; and grace periods. */
import t from "tap";
import { testGuest } from "../support/guest-tests.js";
import { tests } from "./life.js";

for (const cores of [2, 3]) testGuest(t, "life", tests.names, { machine: { cores } });
