/** Locks, semaphores and conditions in shared memory. */
import t from "tap";
import { testGuest } from "../support/guest-tests.js";
import { tests } from "./locks.js";

for (const cores of [1, 2, 3]) testGuest(t, "locks", tests.names, { machine: { cores } });
