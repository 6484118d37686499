/** Capabilities in messages: how many arrive, where, and what becomes of those that do not fit. */
import t from "tap";
import { testGuest } from "../support/guest-tests.js";
import { tests } from "./carried.js";

testGuest(t, "carried", tests.names);
