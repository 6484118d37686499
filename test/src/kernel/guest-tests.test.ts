/** What is reported of guests' tests when a test, its guest or the machine goes wrong. */
import { fileURLToPath } from "node:url";
import t from "tap";
import { node } from "../support/cli-process.js";

const program = fileURLToPath(new URL("support/broken-guest.js", import.meta.url));

t.test("what goes wrong in a guest's test fails that test by its name, and no other", async (t) => {
  // Which tests are left out here must not be left out there.
  const { stdout } = await node([program], { env: { TAP_GREP: "" } });
  const results = [...stdout.matchAll(/^(ok|not ok) \d+ - (.*?)(?:, on 2 cores)?(?: # .*| \{)?$/gm)];
  t.same(
    results.map(([, verdict, name]) => `${verdict}: ${name}`),
    [
      "ok: one that holds",
      "not ok: one that does not hold",
      "not ok: one in which the guest ends",
      "ok: one after a guest that ended",
      "not ok: one in which the kernel panics",
      "ok: one after a machine that is off",
      "not ok: one in which the guest waits for ever",
      "not ok: one after a machine that is stuck",
      'not ok: guest "support/broken" ends by itself and its machine without a panic',
    ],
  );
  t.match(stdout, "a handle: found");
  t.match(stdout, /the guest ended in its test: .*"status":3/);
  t.match(stdout, /waits for the end of the test "one in which the kernel panics", but the machine is off/);
  t.match(stdout, /not run: the machine was stuck in "one in which the guest waits for ever", or/);
});
