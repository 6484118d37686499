/** Handles and rights: what a number names, for whom, and what a copy may. */
import t from "tap";
import { testGuest } from "../support/guest-tests.js";
import { tests } from "./handles.js";

testGuest(t, "handles", tests.names);
