/** How far a revoke reaches, as guests see it. */
import t from "tap";
import { testGuest } from "../support/guest-tests.js";
import { tests } from "./revoke-reach.js";

for (const cores of [1, 2, 3]) testGuest(t, "revoke-reach", tests.names, { machine: { cores } });
