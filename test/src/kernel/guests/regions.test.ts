/** Regions of memory as libos makes them. */
import t from "tap";
import { testGuest } from "../support/guest-tests.js";
import { tests } from "./regions.js";

for (const cores of [1, 2]) testGuest(t, "regions", tests.names, { machine: { cores } });
