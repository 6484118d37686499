/** Seals and limits in time as guests see them. */
import t from "tap";
import { testGuest } from "../support/guest-tests.js";
import { tests } from "./sealed.js";

for (const cores of [1, 2, 3]) testGuest(t, "sealed", tests.names, { machine: { cores } });
