/** Messages with capabilities, against revocation. */
import { Err, InitSlot, Right, SlotBits, SlotState } from "@capos/abi";
import { Notification } from "@capos/kernel/layout";
import { cnode } from "@capos/libos";
import type { Scenario } from "../scenario.js";
import { attempt, isDone } from "./attempt.js";
import { byChance, preemptions } from "./plans.js";

const revokeVsTransfer: Scenario = {
  name: "revoke-vs-transfer",
  holds: "A copy that travels in a message does not outlive the revocation of what it was made from.",
  cores: 2,
  plan: preemptions(2),
  quick: preemptions(1),
  build(machine) {
    const endpoint = machine.endpoint("service");
    const original = machine.notification("news");
    const copy = machine.derive(original);
    const window = machine.freeSlot();
    const space = machine.handle(InitSlot.CNODE);
    const [service, all, mine] = [machine.handle(endpoint), machine.handle(original), machine.handle(copy)];
    machine.guest(0, function* (sys, { note }) {
      sys.receiveInto(window, 1);
      note("receive", yield sys.recv(service));
      if (sys.arrived() === 1) note("notify", yield sys.notify(sys.capability(0)));
    });
    machine.guest(1, function* (sys, { note }) {
      note("send", yield sys.send(service, 0, mine));
    });
    machine.guest(1, function* (sys, { note }) {
      note("revoke", yield* attempt(cnode.revoke(sys, space, all)));
      note("poll", yield sys.poll(all));
    });
    return {
      seen: ({ seen }) => {
        if (!isDone(seen, "revoke")) return "the revocation failed";
        if (seen.get("send") !== Err.OK) return "the message did not arrive";
        if ((machine.i32[machine.slotAt(window)] & SlotBits.STATE_MASK) === SlotState.LIVE)
          return "the copy that arrived is alive";
        return machine.i32[machine.objectAt(original) + Notification.BITS] === 0
          ? null
          : "the copy was used after the revocation had returned";
      },
    };
  },
};

const threeCores: Scenario = {
  name: "revoke-vs-transfer-three-cores",
  holds:
    "Nothing is transferred through a revoked capability, whichever cores sender, endpoint and receiver are on.",
  cores: 3,
  plan: byChance(4),
  quick: byChance(4),
  attack: "C3",
  build(machine) {
    const endpoint = machine.endpoint("service");
    const parent = machine.derive(endpoint);
    const copy = machine.derive(parent, Right.SEND);
    const witness = machine.derive(machine.notification("witness"));
    const window = machine.freeSlot();
    const otherWindow = machine.freeSlot();
    const space = machine.handle(InitSlot.CNODE);
    const [service, revoked, mine] = [machine.handle(endpoint), machine.handle(parent), machine.handle(copy)];
    const carried = machine.handle(witness);
    // The first receiver makes the endpoint stay, so that the second waits at it from another core.
    machine.guest(
      0,
      function* (sys, { note }) {
        sys.receiveInto(otherWindow, 1);
        note("near", yield sys.recv(service));
        note("near arrived", sys.arrived());
      },
      { name: "near receiver", priority: 5 },
    );
    machine.guest(1, function* (sys, { note }) {
      note("send", yield sys.send(mine, 0, carried));
    });
    machine.guest(
      2,
      function* (sys, { note }) {
        sys.receiveInto(window, 1);
        note("far", yield sys.recv(service));
        note("far arrived", sys.arrived());
      },
      { name: "far receiver", priority: 20 },
    );
    machine.guest(2, function* (sys, { note }) {
      note("revoke", yield* attempt(cnode.revoke(sys, space, revoked)));
      // What is sent from here on arrives without it.
      note("delete", yield* attempt(cnode.delete(sys, space, witness)));
    });
    return {
      mayWait: ["near receiver", "far receiver"],
      seen: ({ seen }) => {
        if (!isDone(seen, "revoke") || !isDone(seen, "delete")) return "the revocation failed";
        for (const receiver of ["near", "far"])
          if (seen.get(receiver) === Err.OK && seen.get(`${receiver} arrived`) === 0)
            return `a message came to the ${receiver} receiver after the revocation had returned`;
        return null;
      },
    };
  },
};

export const TRANSFER_SCENARIOS: readonly Scenario[] = [revokeVsTransfer, threeCores];
