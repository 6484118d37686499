/** Address spaces that die, and the next that has their identifier. */
import { InitSlot, ObjectType, PAGE_BITS } from "@capos/abi";
import { KernelInfo, Tables } from "@capos/kernel/layout";
import { cnode, frame, process } from "@capos/libos";
import type { Machine } from "../machine.js";
import type { Scenario } from "../scenario.js";
import { attempt, isDone } from "./attempt.js";
import { AT, endStores, landedLater, READ_WRITE, storeTwice } from "./mappings.js";
import { preemptions } from "./plans.js";

/** log2 of the bytes of an address space. */
const SPACE_BITS = PAGE_BITS + 1;

/** A process with a page in an address space that is all that was made of some memory. */
function client(machine: Machine) {
  const memory = machine.untyped("memory of the space", SPACE_BITS);
  const { process: user } = machine.process("client");
  const space = machine.space("space", user, memory);
  const page = machine.frame("page");
  machine.map(page, space, AT, READ_WRITE);
  return { memory, user, space, page, word: machine.objectAt(page) as number };
}

const spaceVsStore: Scenario = {
  name: "space-vs-store",
  holds: "When the revocation of an address space has answered nothing is stored in it any more.",
  cores: 2,
  plan: preemptions(3),
  quick: preemptions(2),
  build(machine) {
    const { space, user, word } = client(machine);
    const own = machine.handle(InitSlot.CNODE);
    const all = machine.handle(space);
    machine.guest(
      0,
      endStores("revoke", (sys) => cnode.revoke(sys, own, all), word),
    );
    machine.guest(
      1,
      function* (sys, { store }) {
        yield* store(AT, 1);
        // It has no such capability: but it passes a safe point.
        yield sys.poll(0);
        yield* store(AT, 2);
      },
      { process: user },
    );
    return { seen: landedLater(machine, "revoke", word) };
  },
};

const unmapVsSpaceEnd: Scenario = {
  name: "unmap-vs-space-end",
  holds: "Who unmaps what was in an address space that is gone is answered when no core is in that.",
  cores: 2,
  plan: preemptions(2),
  quick: preemptions(1),
  build(machine) {
    const { memory, user, page, word } = client(machine);
    const own = machine.handle(InitSlot.CNODE);
    const [all, mine] = [machine.handle(memory), machine.handle(page)];
    machine.guest(0, function* (sys, { note }) {
      note("revoke", yield* attempt(cnode.revoke(sys, own, all)));
    });
    machine.guest(
      0,
      endStores("unmap", (sys) => frame.unmap(sys, mine), word),
    );
    machine.guest(1, storeTwice, { process: user });
    return { seen: landedLater(machine, "unmap", word) };
  },
};

const identifierReuse: Scenario = {
  name: "identifier-reuse",
  holds: "Nobody finds by an address space's identifier what was in the one that had it before.",
  cores: 2,
  plan: preemptions(3),
  quick: preemptions(2),
  build(machine) {
    const { memory, user } = client(machine);
    const second = machine.process("second").process;
    const next = machine.make(ObjectType.ADDRESS_SPACE, "next space");
    // The next that is looked at is the first again.
    machine.i32[machine.i32[KernelInfo.TABLES] + Tables.LAST_IDENTIFIER] = 0;
    const own = machine.handle(InitSlot.CNODE);
    const [all, other, empty] = [machine.handle(memory), machine.handle(second), machine.handle(next)];
    machine.guest(0, function* (sys, { note }) {
      note("revoke", yield* attempt(cnode.revoke(sys, own, all)));
    });
    machine.guest(0, function* (sys, { note }) {
      note("use", yield* attempt(process.use(sys, other, empty)));
    });
    machine.guest(
      1,
      function* (_sys, { store }) {
        yield* store(AT, 1);
      },
      { process: user, priority: 20 },
    );
    machine.guest(
      1,
      function* (_sys, { note, load }) {
        // It finds its address space by the first, and by the second what that core remembers.
        yield* load(2 * AT);
        note("load", yield* load(AT));
      },
      { process: second },
    );
    return {
      seen: ({ seen }) => {
        if (!isDone(seen, "revoke") || !isDone(seen, "use")) return "no space had the identifier next";
        return Number(seen.get("load")) < 0
          ? null
          : "a page of the first address space was found in the second";
      },
    };
  },
};

export const SPACE_SCENARIOS: readonly Scenario[] = [spaceVsStore, unmapVsSpaceEnd, identifierReuse];
