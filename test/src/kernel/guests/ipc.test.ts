/** IPC as guests see it: every trap, on one core and between two. */
import t from "tap";
import { testGuest } from "../support/guest-tests.js";
import { tests } from "./ipc.js";

testGuest(t, "ipc", tests.names);
