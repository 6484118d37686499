/** Typed capabilities and servers' own objects, on the real kernel. */
import t from "tap";
import { checkGuest } from "./guest-harness.js";

t.test("objects", (t) => checkGuest(t, "objects", 20));
