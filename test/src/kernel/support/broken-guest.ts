/** Runs the guest whose tests go wrong: a program of its own, whose report is looked at. */
import t from "tap";
import { tests } from "../guests/support/broken.js";
import { testGuest } from "./guest-tests.js";

testGuest(t, "support/broken", tests.names, { machine: { silentMs: 5000 } });
