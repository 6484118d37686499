/** Mappings: loads and stores of guests against what takes their memory away. */
import { Err, InitSlot, Right, type Sys } from "@capos/abi";
import { PageEntry } from "@capos/hal";
import { addressSpace, cnode, debug, frame, pageTable } from "@capos/libos";
import type { Notes } from "../guest.js";
import type { Machine } from "../machine.js";
import type { Scenario } from "../scenario.js";
import { attempt, isDone, isTakenBack } from "./attempt.js";
import { preemptions } from "./plans.js";

/** The first page that can be mapped, and the two behind it. */
export const AT = 0x1000;
const ELSEWHERE = 0x2000;
const OTHER = 0x3000;

export const READ_WRITE = Right.READ | Right.WRITE;

/** Stores twice: what the first has found the second may use. */
export function* storeTwice(_sys: Sys, { store }: Notes): Generator<number, void, number> {
  yield* store(AT, 1);
  yield* store(AT, 2);
}

/** Does something that is to end all stores to a word, and looks at that as soon as it has answered. */
export function endStores(
  name: string,
  steps: (sys: Sys) => Generator<number, unknown, number>,
  word: number,
): (sys: Sys, notes: Notes) => Generator<number, void, number> {
  return function* (sys, { note, look }) {
    note(name, yield* attempt(steps(sys)));
    note("left", yield* look(word));
  };
}

/** What is wrong if that failed, or a store landed later. */
export function landedLater(machine: Machine, name: string, word: number) {
  return ({ seen }: { readonly seen: ReadonlyMap<string, unknown> }): string | null => {
    if (!isDone(seen, name)) return `${name} failed`;
    return machine.i32[word] === seen.get("left") ? null : `a store landed after ${name} had answered`;
  };
}

/** A page of memory that init's process has mapped at `AT`, with another at `OTHER`; where its first word is. */
function mapped(machine: Machine) {
  const space = machine.space("space");
  const page = machine.frame("page");
  machine.map(page, space, AT, READ_WRITE);
  machine.map(machine.frame("other page"), space, OTHER, READ_WRITE);
  return { space, page, word: machine.objectAt(page) as number };
}

/** The low word of the entry for a page of a space's first 2 MiB. */
function entryOf(machine: Machine, address: number): number {
  const table = machine.named.find(({ name }) => name === "table 1 of space")!;
  return machine.i32[table.at + (address / 0x1000) * 2];
}

/** An unmapping against what the other core does besides two stores. */
function unmapVs(
  name: string,
  holds: string,
  between: (machine: Machine) => (sys: Sys, notes: Notes) => Generator<number, unknown, number>,
): Scenario {
  return {
    name,
    holds,
    cores: 2,
    plan: preemptions(3),
    quick: preemptions(2),
    build(machine) {
      const { page, word } = mapped(machine);
      const mine = machine.handle(page);
      const also = between(machine);
      machine.guest(
        0,
        endStores("unmap", (sys) => frame.unmap(sys, mine), word),
      );
      machine.guest(1, function* (sys, notes) {
        yield* notes.store(AT, 1);
        yield* also(sys, notes);
        yield* notes.store(AT, 2);
      });
      return { seen: landedLater(machine, "unmap", word) };
    },
  };
}

/** A guest that did something else first walks to the page that it uses, and then has all that its core remembers. */
function comeBack({ load }: Notes): Generator<number, number, number> {
  return load(OTHER);
}

const unmapVsStore = unmapVs(
  "unmap-vs-store",
  "When an unmapping has answered no store through it lands any more.",
  (machine) => {
    const news = machine.handle(machine.notification("news", 1));
    return function* (sys) {
      yield sys.poll(news);
    };
  },
);

const unmapVsLongRun = unmapVs(
  "unmap-vs-long-run",
  "Nor does one of a guest that ran for long meanwhile, for which nobody waits.",
  () =>
    function* (_sys, notes) {
      yield* notes.runLong();
      yield* comeBack(notes);
    },
);

const unmapVsGrace = unmapVs(
  "unmap-vs-grace",
  "A core that reports a grace period has flushed what was unmapped before that was asked for.",
  (machine) => {
    const kernel = machine.handle(InitSlot.DEBUG);
    return function* (sys, notes) {
      yield* debug.gracePeriod(sys, kernel);
      yield* comeBack(notes);
    };
  },
);

const unmapVsDelete = unmapVs(
  "unmap-vs-delete",
  "So has one that reports two at once: the one that its own deletion is followed by, and that of the unmapping.",
  (machine) => {
    const own = machine.handle(InitSlot.CNODE);
    const copy = machine.derive(machine.notification("news", 1));
    return (sys) => cnode.delete(sys, own, copy);
  },
);

const unmapVsGraceAndStore = unmapVs(
  "unmap-vs-grace-and-store",
  "An unmapping is counted when its entries are clear: who flushes for it finds nothing there any more.",
  (machine) => {
    const kernel = machine.handle(InitSlot.DEBUG);
    const news = machine.handle(machine.notification("news", 1));
    return function* (sys, { store }) {
      yield* debug.gracePeriod(sys, kernel);
      yield* store(AT, 1);
      yield sys.poll(news);
    };
  },
);

const unmapVsHalt: Scenario = {
  name: "unmap-vs-halt",
  holds: "A core that was halted during an unmapping does not use what it remembers of it.",
  cores: 2,
  plan: preemptions(3),
  quick: preemptions(1),
  build(machine) {
    const { page, word } = mapped(machine);
    const mine = machine.handle(page);
    const news = machine.handle(machine.notification("news", 1));
    machine.guest(0, function* (sys, { note, look }) {
      note("unmap", yield* attempt(frame.unmap(sys, mine)));
      note("left", yield* look(word));
      yield sys.notify(news);
    });
    machine.guest(1, function* (sys, notes) {
      yield* notes.store(AT, 1);
      yield sys.wait(news);
      yield* comeBack(notes);
      yield* notes.store(AT, 2);
    });
    return { seen: landedLater(machine, "unmap", word) };
  },
};

const unmapVsUnmap: Scenario = {
  name: "unmap-vs-unmap",
  holds: "Who unmaps what another is unmapping is answered when no core uses it any more, as the other.",
  cores: 2,
  plan: preemptions(2),
  quick: preemptions(1),
  build(machine) {
    const { page, word } = mapped(machine);
    const mine = machine.handle(page);
    machine.guest(0, function* (sys, { note }) {
      note("first", yield* attempt(frame.unmap(sys, mine)));
    });
    machine.guest(
      0,
      endStores("unmap", (sys) => frame.unmap(sys, mine), word),
    );
    machine.guest(1, storeTwice);
    return { seen: landedLater(machine, "unmap", word) };
  },
};

const unmapVsTable: Scenario = {
  name: "unmap-vs-table",
  holds:
    "Who unmaps what was mapped through a table that is being taken away is answered when no core uses it.",
  cores: 2,
  plan: preemptions(2),
  quick: preemptions(1),
  build(machine) {
    const { page, word } = mapped(machine);
    const table = machine
      .slotIndices()
      .find(
        (slot) =>
          machine.objectAt(slot) === machine.named.find(({ name }) => name === "table 1 of space")!.at,
      )!;
    const [mine, last] = [machine.handle(page), machine.handle(table)];
    machine.guest(0, function* (sys, { note }) {
      note("table", yield* attempt(pageTable.unmap(sys, last)));
    });
    machine.guest(
      0,
      endStores("unmap", (sys) => frame.unmap(sys, mine), word),
    );
    machine.guest(1, storeTwice);
    return { seen: landedLater(machine, "unmap", word) };
  },
};

/** What is wrong with a page's marks: who has written to it says so. */
function unmarked(machine: Machine, before: number, word: number): string | null {
  const isDirty = (entryOf(machine, AT) & PageEntry.DIRTY) !== 0;
  return machine.i32[word] === before || isDirty ? null : "a page was written to and is not marked";
}

const protectVsStore: Scenario = {
  name: "protect-vs-store",
  holds:
    "When rights are lowered no store lands after the answer, and one that came before has marked the page.",
  cores: 2,
  plan: preemptions(3),
  quick: preemptions(2),
  build(machine) {
    const { page, word } = mapped(machine);
    const mine = machine.handle(page);
    machine.guest(
      0,
      endStores("protect", (sys) => frame.protect(sys, mine, Right.READ), word),
    );
    const news = machine.handle(machine.notification("news", 1));
    machine.guest(1, function* (sys, { store }) {
      yield* store(AT, 1);
      yield sys.poll(news);
      yield* store(AT, 2);
    });
    const landed = landedLater(machine, "protect", word);
    return { seen: (outcome) => landed(outcome) ?? unmarked(machine, 0, word) };
  },
};

const protectVsProtect: Scenario = {
  name: "protect-vs-protect",
  holds: "Who lowers rights that another is lowering is answered when no core has more, as the other.",
  cores: 2,
  plan: preemptions(2),
  quick: preemptions(1),
  build(machine) {
    const { page, word } = mapped(machine);
    const mine = machine.handle(page);
    machine.guest(0, function* (sys, { note }) {
      note("first", yield* attempt(frame.protect(sys, mine, Right.READ)));
    });
    machine.guest(
      0,
      endStores("protect", (sys) => frame.protect(sys, mine, Right.READ), word),
    );
    machine.guest(1, storeTwice);
    return { seen: landedLater(machine, "protect", word) };
  },
};

const sampleVsStore: Scenario = {
  name: "sample-vs-store",
  holds: "What is written after marks were read and cleared is marked anew.",
  cores: 2,
  plan: preemptions(3),
  quick: preemptions(2),
  build(machine) {
    const { space, word } = mapped(machine);
    const memory = machine.handle(space);
    machine.guest(0, function* (sys, { note, look }) {
      yield* addressSpace.sample(sys, memory, AT, 1, 1);
      note("left", yield* look(word));
    });
    machine.guest(1, storeTwice);
    return { seen: ({ seen }) => unmarked(machine, Number(seen.get("left")), word) };
  },
};

const sampleVsSample: Scenario = {
  name: "sample-vs-sample",
  holds: "So it is for who reads marks that another is clearing.",
  cores: 2,
  plan: preemptions(2),
  quick: preemptions(1),
  build(machine) {
    const { space, word } = mapped(machine);
    const memory = machine.handle(space);
    machine.guest(0, function* (sys) {
      yield* addressSpace.sample(sys, memory, AT, 1, 1);
    });
    machine.guest(0, function* (sys, { note, look }) {
      yield* addressSpace.sample(sys, memory, AT, 1, 1);
      note("left", yield* look(word));
    });
    machine.guest(1, storeTwice);
    return { seen: ({ seen }) => unmarked(machine, Number(seen.get("left")), word) };
  },
};

const remapVsStore: Scenario = {
  name: "remap-vs-store",
  holds: "What is stored where a frame is mapped next is not changed through where it was mapped before.",
  cores: 2,
  plan: preemptions(2),
  quick: preemptions(1),
  build(machine) {
    const { space, page, word } = mapped(machine);
    const [mine, memory] = [machine.handle(page), machine.handle(space)];
    machine.guest(0, function* (sys, { note, store }) {
      note("unmap", yield* attempt(frame.unmap(sys, mine)));
      note("map", yield* attempt(frame.map(sys, mine, memory, ELSEWHERE, READ_WRITE)));
      yield* store(ELSEWHERE, 7);
    });
    machine.guest(1, storeTwice);
    return {
      seen: ({ seen }) => {
        if (!isDone(seen, "unmap") || !isDone(seen, "map")) return "the frame was not mapped again";
        return machine.i32[word] === 7 ? null : "a store through the mapping before landed";
      },
    };
  },
};

const refillVsStore: Scenario = {
  name: "refill-vs-store",
  holds: "When something is mapped where something else was, no store there lands in that.",
  cores: 2,
  plan: preemptions(2),
  quick: preemptions(2),
  build(machine) {
    const { space, page } = mapped(machine);
    const next = machine.frame("next page");
    const [mine, other, memory] = [machine.handle(page), machine.handle(next), machine.handle(space)];
    machine.guest(0, function* (sys, { note }) {
      note("unmap", yield* attempt(frame.unmap(sys, mine)));
    });
    machine.guest(0, function* (sys, { note, store }) {
      note("map", yield* attempt(frame.map(sys, other, memory, AT, READ_WRITE)));
      yield* store(OTHER, 1);
    });
    machine.guest(1, function* (_sys, { note, load, store }) {
      yield* store(AT, 1);
      if ((yield* load(OTHER)) === 1) note("store", yield* store(AT, 2));
    });
    return {
      seen: ({ seen }) => {
        if (!isDone(seen, "unmap") || !isDone(seen, "map")) return "the page was not mapped";
        if (!seen.has("store")) return null;
        if (seen.get("store") !== 0) return "what was mapped could not be used";
        return machine.i32[machine.objectAt(next)] === 2 ? null : "a store landed in what was mapped before";
      },
    };
  },
};

const mapVsRevoke: Scenario = {
  name: "map-vs-revoke",
  holds: "When a revocation has answered nothing is mapped through what was derived, and no store lands.",
  cores: 2,
  plan: preemptions(2),
  quick: preemptions(2),
  build(machine) {
    const space = machine.space("space");
    const page = machine.frame("page");
    const copy = machine.derive(page);
    const word = machine.objectAt(page) as number;
    const own = machine.handle(InitSlot.CNODE);
    const [all, mine, memory] = [machine.handle(page), machine.handle(copy), machine.handle(space)];
    machine.guest(
      0,
      endStores("revoke", (sys) => cnode.revoke(sys, own, all), word),
    );
    machine.guest(1, function* (sys, { note, store }) {
      note("map", yield* attempt(frame.map(sys, mine, memory, AT, READ_WRITE)));
      yield* store(AT, 1);
    });
    const landed = landedLater(machine, "revoke", word);
    return {
      seen: (outcome) => {
        if (!isDone(outcome.seen, "map") && !isTakenBack(outcome.seen.get("map"))) return "the map failed";
        if ((entryOf(machine, AT) & PageEntry.PRESENT) !== 0) return "a revoked frame is mapped";
        return landed(outcome);
      },
    };
  },
};

const moveVsStore: Scenario = {
  name: "move-vs-store",
  holds: "When who got a frame in a message has mapped it no store of who sent it lands any more.",
  cores: 2,
  plan: preemptions(2),
  quick: preemptions(1),
  build(machine) {
    const { space, page, word } = mapped(machine);
    const endpoint = machine.handle(machine.endpoint("service"));
    const window = machine.freeSlot();
    const [mine, memory] = [machine.handle(page), machine.handle(space)];
    machine.guest(0, function* (sys, { note, store }) {
      sys.receiveInto(window, 1);
      note("receive", yield sys.recv(endpoint));
      note("map", yield* attempt(frame.map(sys, sys.capability(0), memory, ELSEWHERE, READ_WRITE)));
      yield* store(ELSEWHERE, 7);
    });
    machine.guest(
      1,
      function* (sys, { note }) {
        note("send", yield sys.moved(sys.send(endpoint, 0, mine), 0));
      },
      { priority: 20 },
    );
    machine.guest(1, storeTwice);
    return {
      seen: ({ seen }) => {
        if (seen.get("send") !== Err.OK || !isDone(seen, "map"))
          return "the frame did not come, or was not mapped";
        if ((entryOf(machine, AT) & PageEntry.PRESENT) !== 0) return "it is mapped where its sender had it";
        return machine.i32[word] === 7 ? null : "a store of the sender landed";
      },
    };
  },
};

export const MAPPING_SCENARIOS: readonly Scenario[] = [
  unmapVsStore,
  unmapVsLongRun,
  unmapVsGrace,
  unmapVsDelete,
  unmapVsGraceAndStore,
  unmapVsHalt,
  unmapVsUnmap,
  unmapVsTable,
  protectVsStore,
  protectVsProtect,
  sampleVsStore,
  sampleVsSample,
  remapVsStore,
  refillVsStore,
  mapVsRevoke,
  moveVsStore,
];
