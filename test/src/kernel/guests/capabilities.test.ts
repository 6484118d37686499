/** Capabilities as guests see them: in messages, handles, rights, and each invocation against bad arguments. */
import t from "tap";
import { testGuest } from "../support/guest-tests.js";
import { tests } from "./capabilities.js";

testGuest(t, "capabilities", tests.names);
