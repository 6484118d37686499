/** Deriving capabilities as guests see it: copies, moves, and every bad argument. */
import t from "tap";
import { testGuest } from "../support/guest-tests.js";
import { tests } from "./derive.js";

for (const cores of [1, 2, 3]) testGuest(t, "derive", tests.names, { machine: { cores } });
