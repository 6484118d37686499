/** Whether a core whose worker has died can be gone on with. */
import { coreArea } from "@capos/hal";
import { whyNoTakeover } from "@capos/inspect";
import { KernelCore } from "@capos/kernel/layout";
import t from "tap";
import { makeSmallSystem } from "./support/written-machine.js";

t.test("a core is not taken over if its worker died in a commit or with the tree lock, else it is", (t) => {
  const { machine } = makeSmallSystem().memory;
  const { memory } = machine;
  t.equal(whyNoTakeover(memory, 1), null);
  for (const word of [KernelCore.COMMIT, KernelCore.TREE_LOCKED]) {
    const at = coreArea(memory, 1) + word;
    memory.i32[at] = 1;
    t.equal(whyNoTakeover(memory, 1), "its worker died inside a commit");
    t.equal(whyNoTakeover(memory, 0), null, "another core's may");
    memory.i32[at] = 0;
  }
  t.end();
});
