/** Typed capabilities and servers' own objects, on the real kernel. */
import t from "tap";
import { checkGuest } from "../support/guest-machine.js";

t.test("objects", (t) => checkGuest(t, "objects", 20));
