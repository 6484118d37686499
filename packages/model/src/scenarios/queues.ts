/** Threads that wait at an endpoint, against the end of the capability that they wait through. */
import { Err, InitSlot, ObjectType, Right } from "@capos/abi";
import { cnode, untyped } from "@capos/libos";
import type { Scenario } from "../scenario.js";
import { attempt, isDone, isTakenBack } from "./attempt.js";
import { EXHAUSTIVE, preemptions } from "./plans.js";

const revokeVsQueuedSender: Scenario = {
  name: "revoke-vs-queued-sender",
  holds: "A sender that waits through a revoked capability is woken, and its message never received.",
  cores: 2,
  plan: EXHAUSTIVE,
  quick: preemptions(2),
  attack: "C2",
  build(machine) {
    const endpoint = machine.endpoint("service");
    const copy = machine.derive(endpoint, Right.SEND);
    const space = machine.handle(InitSlot.CNODE);
    const [all, mine] = [machine.handle(endpoint), machine.handle(copy)];
    machine.guest(0, function* (sys, { note }) {
      note("revoke", yield* attempt(cnode.revoke(sys, space, all)));
      note("receive", yield sys.nbRecv(all));
    });
    machine.guest(1, function* (sys, { note }) {
      note("send", yield sys.send(mine));
    });
    return {
      seen: ({ seen }) => {
        if (!isDone(seen, "revoke")) return "the revocation failed";
        if (seen.get("receive") !== Err.WOULD_BLOCK)
          return "a message came after the revocation had returned";
        return isTakenBack(seen.get("send")) ? null : "the sender was not told";
      },
    };
  },
};

const moveVsQueuedSender: Scenario = {
  name: "move-vs-queued-sender",
  holds: "A sender is woken when the capability that it waits through moves away.",
  cores: 2,
  plan: EXHAUSTIVE,
  quick: preemptions(2),
  build(machine) {
    const endpoint = machine.endpoint("service");
    const copy = machine.derive(endpoint, Right.SEND);
    const to = machine.freeSlot();
    const space = machine.handle(InitSlot.CNODE);
    const mine = machine.handle(copy);
    machine.guest(0, function* (sys, { note }) {
      note("move", yield* attempt(cnode.move(sys, space, to, mine)));
    });
    machine.guest(1, function* (sys, { note }) {
      note("send", yield sys.send(mine));
    });
    return {
      seen: ({ seen }) => {
        if (Number(seen.get("move")) < 0) return "the move failed";
        return isTakenBack(seen.get("send")) ? null : "the sender was not told";
      },
    };
  },
};

const rehomeVsTwoKills: Scenario = {
  name: "rehome-vs-two-kills",
  holds:
    "A receiver is woken when its capability dies, although the endpoint moved while another kill was being followed up.",
  cores: 2,
  plan: preemptions(2),
  quick: preemptions(1),
  build(machine) {
    const endpoint = machine.endpoint("service");
    const first = machine.derive(endpoint);
    const second = machine.derive(endpoint);
    const space = machine.handle(InitSlot.CNODE);
    const mine = machine.handle(second);
    // At once when the endpoint has moved to it.
    machine.guest(
      1,
      function* (sys, { note }) {
        note("receive", yield sys.recv(mine));
      },
      { priority: 20 },
    );
    machine.guest(1, function* (sys) {
      yield* attempt(cnode.delete(sys, space, first));
      yield* attempt(cnode.delete(sys, space, second));
    });
    return {
      seen: ({ seen }) => (isTakenBack(seen.get("receive")) ? null : "the receiver was not told"),
    };
  },
};

const callVsEndpointDestruction: Scenario = {
  name: "call-vs-endpoint-destruction",
  holds: "A call on an endpoint whose memory is taken back ends, and the memory can be used again.",
  cores: 2,
  plan: preemptions(2),
  quick: preemptions(1),
  build(machine) {
    const memory = machine.untyped("memory of the service", 10);
    const endpoint = machine.make(ObjectType.ENDPOINT, "service", 0, memory);
    const copy = machine.derive(endpoint, Right.SEND);
    const to = machine.freeSlot();
    const space = machine.handle(InitSlot.CNODE);
    const [owner, mine] = [machine.handle(memory), machine.handle(copy)];
    machine.guest(0, function* (sys, { note }) {
      note("revoke", yield* attempt(cnode.revoke(sys, space, owner)));
      note("retype", yield* attempt(untyped.retype(sys, owner, ObjectType.CNODE, 4, 1, space, to)));
    });
    machine.guest(1, function* (sys, { note }) {
      note("call", yield sys.call(mine));
    });
    return {
      seen: ({ seen }) => {
        if (!isDone(seen, "revoke")) return "the revocation failed";
        if (!isDone(seen, "retype")) return "the memory could not be used again";
        return isTakenBack(seen.get("call")) ? null : "the caller was not told";
      },
    };
  },
};

export const QUEUE_SCENARIOS: readonly Scenario[] = [
  revokeVsQueuedSender,
  moveVsQueuedSender,
  rehomeVsTwoKills,
  callVsEndpointDestruction,
];
