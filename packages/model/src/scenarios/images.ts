/** Images: the end of one, against its use and against its return. */
import { Err, InitSlot, ObjectType, SlotBits, SlotState } from "@capos/abi";
import { findModule } from "@capos/hal";
import { Process } from "@capos/kernel/layout";
import { cnode, imageControl, process } from "@capos/libos";
import type { Scenario } from "../scenario.js";
import { attempt, isDone } from "./attempt.js";
import { preemptions } from "./plans.js";
import { isAlive } from "./slots.js";

const configureVsDelete: Scenario = {
  name: "image-configure-vs-delete",
  holds: "A process is configured with an image that stays as long as it does, or not at all.",
  cores: 2,
  plan: preemptions(2),
  quick: preemptions(1),
  build(machine) {
    const image = machine.image("image");
    const child = machine.make(ObjectType.PROCESS, "child");
    const space = machine.cnode("CSpace of the child", 2);
    const [all, mine, it] = [
      machine.handle(InitSlot.CNODE),
      machine.handle(space),
      machine.handle(image.slot),
    ];
    machine.guest(0, function* (sys, { note }) {
      note("delete", yield* attempt(cnode.delete(sys, all, image.slot)));
    });
    machine.guest(1, function* (sys, { note }) {
      note("configure", yield* attempt(process.configure(sys, machine.handle(child), mine, it, "child", 0)));
    });
    return {
      seen: ({ seen }) => {
        if (!isDone(seen, "delete")) return "the deletion failed";
        const isThere = findModule(machine.memory, image.number) >= 0;
        if (seen.get("configure") === Err.BAD_CAP)
          return isThere ? "the store keeps an image that nobody has" : null;
        if (!isDone(seen, "configure")) return "the process could not be configured";
        const binding = machine.i32[machine.objectAt(child) + Process.IMAGE_BINDING];
        return isThere && (binding & SlotBits.STATE_MASK) === SlotState.LIVE
          ? null
          : "the process runs an image that is gone";
      },
    };
  },
};

const takeVsEnd: Scenario = {
  name: "image-take-vs-end",
  holds: "An image that the host holds can be taken again and again, and each of its ends comes to its end.",
  cores: 2,
  plan: preemptions(2),
  quick: preemptions(1),
  build(machine) {
    const image = machine.image("image", true);
    const again = machine.freeSlot();
    const all = machine.handle(InitSlot.CNODE);
    const store = machine.handle(InitSlot.IMAGE_CONTROL);
    machine.guest(0, function* (sys, { note }) {
      note("delete", yield* attempt(cnode.delete(sys, all, image.slot)));
    });
    machine.guest(1, function* (sys, { note }) {
      note("take", yield* attempt(imageControl.take(sys, store, image.number, all, again)));
      note("delete again", yield* attempt(cnode.delete(sys, all, again)));
    });
    return {
      seen: ({ seen }) => {
        if (!isDone(seen, "delete") || !isDone(seen, "delete again")) return "a deletion failed";
        if (Number(seen.get("take")) < 0) return "it could not be taken";
        // That its last end was seen to is judged with what is left at the end.
        return isAlive(machine, again) ? "it is still there" : null;
      },
    };
  },
};

export const IMAGE_SCENARIOS: readonly Scenario[] = [configureVsDelete, takeVsEnd];
