/** Every operation on capabilities against every kind of wrong argument. */
import t from "tap";
import { testGuest } from "../support/guest-tests.js";
import { tests } from "./bad-input.js";

for (const cores of [1, 2]) testGuest(t, "bad-input", tests.names, { machine: { cores } });
