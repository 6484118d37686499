/** Capabilities as guests see them: in messages, handles, rights, and each invocation against bad arguments. */
import t from "tap";
import { checkGuest } from "../support/guest-machine.js";

t.test("capabilities", (t) => checkGuest(t, "capabilities", 40));
