/** Invocations of kernel objects: each against each bad argument, and each without its right. */
import t from "tap";
import { testGuest } from "../support/guest-tests.js";
import { tests } from "./invocations.js";

testGuest(t, "invocations", tests.names);
