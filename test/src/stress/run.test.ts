/** Scenarios in which something is revoked: see support/scenario. */
import t from "tap";
import { checkScenario } from "./support/scenario.js";

for (const name of [
  "revoke-vs-call",
  "revoke-vs-transfer",
  "revoke-vs-copy",
  "revoke-vs-retype",
  "revoke-vs-revoke",
  "revoke-vs-kill",
  "revoke-vs-map",
  "revoke-in-flight",
]) {
  t.test(`${name} finds no violation`, async (t) => checkScenario(t, name));
}
