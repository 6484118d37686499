/** Order as guests see it: queues, run queues, preemption, homes of endpoints, bound notifications. */
import t from "tap";
import { checkGuest } from "../support/guest-machine.js";

t.test("two cores", (t) => checkGuest(t, "order", 35));
t.test("three cores", (t) => checkGuest(t, "order", 35, { cores: 3 }));
