/** Images as guests see them. */
import t from "tap";
import { testGuest } from "../support/guest-tests.js";
import { tests } from "./images.js";

for (const cores of [1, 2])
  testGuest(t, "images", tests.names, { machine: { cores }, guest: { images: ["other"] } });
