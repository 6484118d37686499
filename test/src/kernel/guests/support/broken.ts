/** A guest whose tests go wrong in every way but one: what the test of the harness runs. */
import type { Sys } from "@capos/abi";
import { debug, start } from "@capos/libos";
import { GuestTests, perform, same } from "./kit.js";

export const tests = new GuestTests();

tests.add("one that holds", function* (os) {
  same((yield* os.endpoint()) > 0, true);
});

tests.add("one that does not hold", function* (os) {
  same(yield* os.endpoint(), 0, "a handle");
});

tests.add("one in which the guest ends", function* (os) {
  yield os.sys.exit(3);
});

tests.add("one after a guest that ended", function* (os) {
  same((yield* os.endpoint()) > 0, true);
});

tests.add("one in which the kernel panics", function* (os) {
  yield* debug.panic(os.sys, os.environment.debug, "as told");
});

tests.add("one after a machine that is off", function* (os) {
  same((yield* os.endpoint()) > 0, true);
});

tests.add("one in which the guest waits for ever", function* (os) {
  yield os.sys.wait(yield* os.notification());
});

tests.add("one after a machine that is stuck", function* (os) {
  same((yield* os.endpoint()) > 0, true);
});

export default function* main(sys: Sys) {
  return yield* perform(start(sys), tests, {});
}
