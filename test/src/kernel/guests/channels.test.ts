/** Channels: messages through memory that two sides have mapped. */
import t from "tap";
import { testGuest } from "../support/guest-tests.js";
import { tests } from "./channels.js";

for (const cores of [1, 2, 3]) testGuest(t, "channels", tests.names, { machine: { cores } });
