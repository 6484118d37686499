/** How threads and processes end, as guests see it, on two and on three cores; and grace periods. */
import t from "tap";
import { checkGuest } from "../support/guest-machine.js";

t.test("two cores", (t) => checkGuest(t, "life", 40));
t.test("three cores", (t) => checkGuest(t, "life", 40, { cores: 3 }));
