/** IPC as guests see it: every trap, on one core and between two. */
import t from "tap";
import { checkGuest } from "../support/guest-machine.js";

t.test("ipc traps", (t) => checkGuest(t, "ipc", 40));
