/** Servers that are told when nobody holds what they minted. */
import t from "tap";
import { testGuest } from "../support/guest-tests.js";
import { tests } from "./no-senders.js";

for (const cores of [1, 2, 3]) testGuest(t, "no-senders", tests.names, { machine: { cores } });
