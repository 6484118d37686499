/** Revoke as guests see it: what ends, what stays, who is woken. */
import t from "tap";
import { testGuest } from "../support/guest-tests.js";
import { tests } from "./revoke.js";

for (const cores of [1, 2, 3]) testGuest(t, "revoke", tests.names, { machine: { cores } });
