/** Order as guests see it: queues, run queues, preemption, homes of endpoints, bound notifications. */
import t from "tap";
import { testGuest } from "../support/guest-tests.js";
import { tests } from "./order.js";

for (const cores of [2, 3]) testGuest(t, "order", tests.names, { machine: { cores } });
