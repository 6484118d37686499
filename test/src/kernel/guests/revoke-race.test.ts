/** Revokes that meet others, as guests see them. */
import t from "tap";
import { testGuest } from "../support/guest-tests.js";
import { tests } from "./revoke-race.js";

for (const cores of [1, 2, 3]) testGuest(t, "revoke-race", tests.names, { machine: { cores } });
