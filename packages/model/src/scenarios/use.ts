/** Using a capability against its revocation and the reuse of its slot. */
import { Err, InitSlot, Right } from "@capos/abi";
import { cnode } from "@capos/libos";
import type { Scenario } from "../scenario.js";
import { attempt, isDone } from "./attempt.js";
import { EXHAUSTIVE, preemptions } from "./plans.js";
import { bitsOf } from "./slots.js";

/** A signal through a copy against the revocation of its original. */
function useVsRevoke(name: string, holds: string, afterLongRun: boolean): Scenario {
  return {
    name,
    holds,
    cores: 2,
    plan: afterLongRun ? preemptions(4) : EXHAUSTIVE,
    quick: preemptions(2),
    build(machine) {
      const original = machine.notification("news");
      const copy = machine.derive(original, Right.SEND);
      const space = machine.handle(InitSlot.CNODE);
      const [all, mine] = [machine.handle(original), machine.handle(copy)];
      machine.guest(0, function* (sys, { note }) {
        note("revoke", yield* attempt(cnode.revoke(sys, space, all)));
        note("poll", yield sys.poll(all));
      });
      machine.guest(1, function* (sys, { note, runLong }) {
        if (afterLongRun) yield* runLong();
        note("notify", yield sys.notify(mine));
      });
      return {
        seen: ({ seen }) => {
          if (!isDone(seen, "revoke")) return "the revocation failed";
          return bitsOf(machine, original) === 0 ? null : "a signal came after the revocation had returned";
        },
      };
    },
  };
}

const slotPublish: Scenario = {
  name: "slot-publish",
  holds: "Whoever finds a slot filled finds all of what it was filled with.",
  cores: 2,
  plan: EXHAUSTIVE,
  quick: EXHAUSTIVE,
  build(machine) {
    const original = machine.notification("news");
    const slot = machine.freeSlot();
    const space = machine.handle(InitSlot.CNODE);
    const [all, guessed] = [machine.handle(original), machine.handle(slot)];
    machine.guest(0, function* (sys, { note }) {
      note("copy", yield* attempt(cnode.copy(sys, space, slot, all, Right.ALL)));
    });
    machine.guest(1, function* (sys, { note }) {
      note("notify", yield sys.notify(guessed));
    });
    return {
      seen: ({ seen }) => {
        if (seen.get("copy") !== guessed) return "the copy has another handle than was foreseen";
        const arrived = bitsOf(machine, original) !== 0;
        const answer = seen.get("notify");
        if (answer !== Err.OK && answer !== Err.BAD_CAP) return "a half filled slot was found";
        return arrived === (answer === Err.OK) ? null : "the signal went elsewhere";
      },
    };
  },
};

/** One core empties a slot and fills it with something else, another uses the handle of its first tenant. */
function slotReuse(name: string, holds: string, { asksFirst = false, runsLong = false } = {}): Scenario {
  return {
    name,
    holds,
    cores: 2,
    plan: preemptions(3),
    quick: preemptions(2),
    build(machine) {
      const first = machine.notification("first tenant");
      const second = machine.notification("second tenant");
      const slot = machine.derive(first);
      const other = machine.derive(first);
      const space = machine.handle(InitSlot.CNODE);
      const [next, stale] = [machine.handle(second), machine.handle(slot)];
      machine.guest(0, function* (sys, { note }) {
        note("delete", yield* attempt(cnode.delete(sys, space, slot)));
        note("copy", yield* attempt(cnode.copy(sys, space, slot, next, Right.ALL)));
      });
      machine.guest(1, function* (sys, { note, runLong }) {
        // Its kill asks for a grace period that both cores may have passed before the slot is dead.
        if (asksFirst) yield* attempt(cnode.delete(sys, space, other));
        note("first notify", yield sys.notify(stale));
        if (runsLong) yield* runLong();
        note("second notify", yield sys.notify(stale));
      });
      return {
        seen: ({ seen }) => {
          if (!isDone(seen, "delete") || Number(seen.get("copy")) < 0) return "the slot was not filled";
          return bitsOf(machine, second) === 0 ? null : "a handle to the first tenant reached the second";
        },
      };
    },
  };
}

const wakingCore: Scenario = {
  name: "waking-core-vs-slot-reuse",
  holds:
    "A core that was halted while a slot was emptied and filled again does not use what it remembers of it.",
  cores: 2,
  plan: preemptions(2),
  quick: preemptions(1),
  attack: "C4",
  build(machine) {
    const endpoint = machine.endpoint("service");
    const news = machine.notification("second tenant");
    const slot = machine.derive(endpoint, Right.SEND);
    const space = machine.handle(InitSlot.CNODE);
    const [service, next, stale] = [machine.handle(endpoint), machine.handle(news), machine.handle(slot)];
    machine.guest(0, function* (sys, { note }) {
      note("receive", yield sys.recv(service));
      yield* attempt(cnode.delete(sys, space, slot));
      note("copy", yield* attempt(cnode.copy(sys, space, slot, next, Right.ALL)));
      note("reply", yield sys.reply());
    });
    machine.guest(1, function* (sys, { note }) {
      note("first call", yield sys.call(stale));
      note("second call", yield sys.call(stale));
    });
    return {
      seen: ({ seen }) => {
        if (seen.get("first call") !== Err.OK) return "a call that was delivered was not answered";
        return seen.get("second call") === Err.BAD_CAP ? null : "a stale handle was used";
      },
    };
  },
};

export const USE_SCENARIOS: readonly Scenario[] = [
  useVsRevoke(
    "use-vs-revoke",
    "A signal through a copy comes before the revocation of its original returns, or not at all.",
    false,
  ),
  useVsRevoke(
    "use-after-long-run-vs-revoke",
    "So does one from a guest that was counted as quiescent when the revocation began.",
    true,
  ),
  slotPublish,
  slotReuse(
    "long-run-vs-slot-reuse",
    "A guest that ran for long while a slot was emptied and filled again does not use what its core remembers of it.",
    { runsLong: true },
  ),
  slotReuse("slot-reuse", "A handle never names its slot's next tenant."),
  slotReuse(
    "slot-reuse-vs-grace-period",
    "A grace period that began before a slot was dead does not free it.",
    { asksFirst: true },
  ),
  wakingCore,
];
