/** Typed capabilities and servers' own objects, on the real kernel. */
import t from "tap";
import { testGuest } from "../support/guest-tests.js";
import { tests } from "./objects.js";

testGuest(t, "objects", tests.names);
