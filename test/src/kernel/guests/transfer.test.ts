/** Capabilities in messages. */
import t from "tap";
import { testGuest } from "../support/guest-tests.js";
import { tests } from "./transfer.js";

for (const cores of [1, 2, 3]) testGuest(t, "transfer", tests.names, { machine: { cores } });
