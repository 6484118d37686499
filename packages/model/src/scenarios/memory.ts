/** Untyped memory: what is made of it, against its revocation and its use for something else. */
import { Err, InitSlot, ObjectType, Right } from "@capos/abi";
import { Notification } from "@capos/kernel/layout";
import { cnode, thread, untyped } from "@capos/libos";
import type { Scenario } from "../scenario.js";
import { attempt, isDone, isTakenBack } from "./attempt.js";
import { preemptions } from "./plans.js";
import { isAlive, isChildless, referencesOf } from "./slots.js";

/** Two objects of 128 bytes fill it. */
const SMALL = 8;

const revokeOverlapping: Scenario = {
  name: "revoke-overlapping",
  holds:
    "A revoke that goes on after a pause kills nothing but descendants, whatever stands in their slots by then.",
  cores: 2,
  plan: preemptions(2),
  quick: preemptions(1),
  attack: "H2",
  build(machine) {
    const owner = machine.untyped("memory", SMALL + 2);
    const part = machine.make(ObjectType.UNTYPED, "part of it", SMALL + 1, owner);
    const made = machine.make(ObjectType.NOTIFICATION, "made of it", 0, part);
    const stranger = machine.endpoint("stranger");
    const space = machine.handle(InitSlot.CNODE);
    const [all, some, other] = [machine.handle(owner), machine.handle(part), machine.handle(stranger)];
    // It pauses until what was made of the memory is finalised, and then begins anew.
    machine.guest(0, function* (sys, { note }) {
      note("revoke", yield* attempt(cnode.revoke(sys, space, all)));
    });
    machine.guest(1, function* (sys, { note }) {
      note("overlapping revoke", yield* attempt(cnode.revoke(sys, space, some)));
      note("copy", yield* attempt(cnode.copy(sys, space, made, other, Right.ALL)));
    });
    return {
      seen: ({ seen }) => {
        if (!isDone(seen, "revoke")) return "the revocation failed";
        if (!isDone(seen, "overlapping revoke") && seen.get("overlapping revoke") !== Err.BAD_CAP)
          return "the overlapping revocation failed";
        if (isAlive(machine, part) || !isChildless(machine, owner)) return "something is left of the memory";
        if (Number(seen.get("copy")) < 0) return "the slot was not filled again";
        return isAlive(machine, made) && referencesOf(machine, stranger) === 2
          ? null
          : "a capability was killed that was derived from nothing revoked";
      },
    };
  },
};

const messageVsMemoryReuse: Scenario = {
  name: "message-vs-memory-reuse",
  holds: "Memory is used again when no message that is under way names what it was.",
  cores: 3,
  plan: preemptions(1),
  quick: preemptions(1),
  attack: "C2",
  build(machine) {
    const memory = machine.untyped("memory", SMALL);
    // At home on core 0, which has nothing else to do: neither of the others reads the message.
    const news = machine.make(ObjectType.NOTIFICATION, "news", 0, memory);
    const again = machine.freeSlot();
    const space = machine.handle(InitSlot.CNODE);
    const [owner, bound] = [machine.handle(memory), machine.handle(news)];
    const object = machine.objectAt(news);
    // What is bound is asked to come to the thread's core first: a message that names nothing but the object.
    const binder = machine.guest(1, function* (sys, { note }) {
      note("bind", yield* attempt(thread.bind(sys, self, bound)));
    });
    const self = machine.handle(binder.slot);
    machine.guest(2, function* (sys, { note }) {
      note("delete", yield* attempt(cnode.delete(sys, space, news)));
      note("retype", yield* attempt(untyped.retype(sys, owner, ObjectType.UNTYPED, SMALL, 1, space, again)));
    });
    return {
      seen: ({ seen }) => {
        if (!isDone(seen, "delete")) return "the deletion failed";
        // A binding is one capability more, and keeps what is bound.
        if (isDone(seen, "bind")) return isDone(seen, "retype") ? "memory in use was used again" : null;
        if (seen.get("bind") !== Err.BAD_CAP) return "the binding failed";
        if (!isDone(seen, "retype")) return "the memory could not be used again";
        return machine.i32[object + Notification.HOME] === 0 ? null : "memory was written to that is free";
      },
    };
  },
};

/** Slots of a process's CSpace: its end may need one. */
const SPACE_BITS = 4;
/** The slot of it that is used. */
const USED = 1;

const queuedSenderVsReuse: Scenario = {
  name: "queued-sender-vs-cnode-reuse",
  holds: "Whoever waits through a slot is told of its end before its memory is something else.",
  cores: 2,
  plan: preemptions(2),
  quick: preemptions(1),
  attack: "C2",
  build(machine) {
    const memory = machine.untyped("memory of the client's CSpace", SPACE_BITS + 6);
    const endpoint = machine.endpoint("service");
    const client = machine.process("client", SPACE_BITS, 1, memory);
    const mine = machine.give(client.cnode, USED, endpoint, Right.SEND);
    const again = machine.freeSlot();
    const space = machine.handle(InitSlot.CNODE);
    const owner = machine.handle(memory);
    machine.guest(0, function* (sys, { note }) {
      note("revoke", yield* attempt(cnode.revoke(sys, space, owner)));
      note(
        "retype",
        yield* attempt(untyped.retype(sys, owner, ObjectType.CNODE, SPACE_BITS, 1, space, again)),
      );
    });
    machine.guest(
      1,
      function* (sys, { note }) {
        note("send", yield sys.send(mine));
      },
      { name: "client", process: client.process },
    );
    return {
      seen: ({ seen }) => {
        if (!isDone(seen, "revoke")) return "the revocation failed";
        if (!isDone(seen, "retype")) return "the memory could not be used again";
        return isTakenBack(seen.get("send")) ? null : "the sender was not told";
      },
    };
  },
};

export const MEMORY_SCENARIOS: readonly Scenario[] = [
  revokeOverlapping,
  messageVsMemoryReuse,
  queuedSenderVsReuse,
];
