/** Scenarios in which something is revoked: see support/scenario. */
import t from "tap";
import { checkScenario, RUN_TIMEOUT_MS } from "./support/scenario.js";

t.setTimeout(RUN_TIMEOUT_MS);

for (const name of [
  "revoke-vs-call",
  "revoke-vs-transfer",
  "revoke-vs-copy",
  "revoke-vs-retype",
  "revoke-vs-revoke",
  "revoke-vs-kill",
  "revoke-in-flight",
]) {
  t.test(`${name} finds no violation`, async (t) => checkScenario(t, name));
}
