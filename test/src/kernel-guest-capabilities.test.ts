/** Capabilities as guests see them: in messages, handles, rights, and each invocation against bad arguments. */
import t from "tap";
import { checkGuest } from "./guest-harness.js";

t.test("capabilities", (t) => checkGuest(t, "capabilities", 40));
