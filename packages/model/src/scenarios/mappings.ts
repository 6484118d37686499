/** Mappings: loads and stores of guests against what takes their memory away. */
import { Right } from "@capos/abi";
import { frame } from "@capos/libos";
import type { Machine } from "../machine.js";
import type { Scenario } from "../scenario.js";
import { attempt, isDone } from "./attempt.js";
import { preemptions } from "./plans.js";

/** The first page that can be mapped, and the one behind it. */
const AT = 0x1000;

const READ_WRITE = Right.READ | Right.WRITE;

/** The first word of what a slot's frame is. */
function wordOf(machine: Machine, slot: number): number {
  return machine.objectAt(slot);
}

const unmapVsStore: Scenario = {
  name: "unmap-vs-store",
  holds: "When an unmapping has answered no store through it lands any more.",
  cores: 2,
  plan: preemptions(3),
  quick: preemptions(2),
  build(machine) {
    const memory = machine.space("space");
    const page = machine.frame("page");
    machine.map(page, memory, AT, READ_WRITE);
    const word = wordOf(machine, page);
    const mine = machine.handle(page);
    machine.guest(0, function* (sys, { note, look }) {
      note("unmap", yield* attempt(frame.unmap(sys, mine)));
      note("left", yield* look(word));
    });
    machine.guest(1, function* (_sys, { store }) {
      yield* store(AT, 1);
      yield* store(AT, 2);
    });
    return {
      seen: ({ seen }) => {
        if (!isDone(seen, "unmap")) return "the unmapping failed";
        return machine.i32[word] === seen.get("left")
          ? null
          : "a store landed after the unmapping had answered";
      },
    };
  },
};

export const MAPPING_SCENARIOS: readonly Scenario[] = [unmapVsStore];
