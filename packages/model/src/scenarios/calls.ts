/** Calls and replies, against the death of either side. */
import { Err, InitSlot, Right } from "@capos/abi";
import { Endpoint, Thread, ThreadState } from "@capos/kernel/layout";
import { cnode, thread } from "@capos/libos";
import type { Guest } from "../guest.js";
import type { Machine } from "../machine.js";
import type { Scenario } from "../scenario.js";
import { attempt, isDone } from "./attempt.js";
import { preemptions } from "./plans.js";

function isDead(machine: Machine, guest: Guest): boolean {
  return machine.i32[guest.thread + Thread.STATE] === ThreadState.DEAD;
}

const serverDeath: Scenario = {
  name: "call-vs-server-death",
  holds: "A caller whose call was taken is told that the server died.",
  cores: 2,
  plan: preemptions(2),
  quick: preemptions(1),
  build(machine) {
    const endpoint = machine.endpoint("service");
    const service = machine.handle(endpoint);
    const server = machine.guest(
      0,
      function* (sys, { note }) {
        note("receive", yield sys.recv(service));
        yield sys.recv(machine.handle(endpoint));
      },
      { name: "server" },
    );
    const caller = machine.guest(
      1,
      function* (sys, { note }) {
        note("call", yield sys.call(service));
      },
      { name: "caller" },
    );
    machine.guest(1, function* (sys, { note }) {
      note("destroy", yield* attempt(thread.destroy(sys, machine.handle(server.slot))));
    });
    return {
      mayWait: ["server", "caller"],
      seen: ({ seen }) => {
        if (!isDone(seen, "destroy") || !isDead(machine, server)) return "the server was not destroyed";
        if (seen.has("call")) return seen.get("call") === Err.PEER_DIED ? null : "nobody could have answered";
        // Nobody took it: it waits for the next server.
        return machine.i32[caller.thread + Thread.QUEUE] === machine.objectAt(endpoint)
          ? null
          : "the caller waits for a dead server";
      },
    };
  },
};

const callerDeath: Scenario = {
  name: "call-vs-caller-death",
  holds: "When destroy has answered, the thread is dead and no message of its is received any more.",
  cores: 2,
  plan: preemptions(2),
  quick: preemptions(1),
  build(machine) {
    const endpoint = machine.endpoint("service");
    const service = machine.handle(endpoint);
    const caller = machine.guest(
      1,
      function* (sys) {
        yield sys.call(service);
      },
      { name: "caller" },
    );
    machine.guest(0, function* (sys, { note }) {
      note("destroy", yield* attempt(thread.destroy(sys, machine.handle(caller.slot))));
      note("receive", yield sys.nbRecv(service));
    });
    return {
      mayWait: ["caller"],
      seen: ({ seen }) => {
        if (!isDone(seen, "destroy") || !isDead(machine, caller)) return "the caller was not destroyed";
        return seen.get("receive") === Err.WOULD_BLOCK ? null : "a dead thread's call was received";
      },
    };
  },
};

const replyVsCallerDeath: Scenario = {
  name: "reply-vs-caller-death",
  holds: "When destroy has answered, no reply puts a capability into the thread's receive slots any more.",
  cores: 2,
  plan: preemptions(2),
  quick: preemptions(1),
  build(machine) {
    const endpoint = machine.endpoint("service");
    // The caller's core is the endpoint's home, so that its own core gives the call up.
    machine.i32[machine.objectAt(endpoint) + Endpoint.HOME] = 1;
    const received = machine.handle(machine.notification("received", 1));
    const gift = machine.handle(machine.notification("gift"));
    const window = machine.freeSlot();
    const space = machine.handle(InitSlot.CNODE);
    const service = machine.handle(endpoint);
    const caller = machine.guest(
      1,
      function* (sys) {
        sys.receiveInto(window, 1);
        yield sys.call(service);
      },
      { name: "caller" },
    );
    machine.guest(
      0,
      function* (sys, { note }) {
        yield sys.recv(service);
        yield sys.notify(received);
        note("reply", yield sys.reply(0, gift));
      },
      { name: "server" },
    );
    machine.guest(1, function* (sys, { note }) {
      yield sys.wait(received);
      note("destroy", yield* attempt(thread.destroy(sys, machine.handle(caller.slot))));
      const { state } = yield* cnode.inspect(sys, space, window);
      note("state", state);
    });
    return {
      mayWait: ["caller"],
      seen: ({ seen }) => {
        if (!isDone(seen, "destroy") || !isDead(machine, caller)) return "the caller was not destroyed";
        return (machine.i32[machine.slotAt(window)] & 3) === seen.get("state")
          ? null
          : "a capability arrived for a dead thread";
      },
    };
  },
};

const replyTwice: Scenario = {
  name: "reply-twice",
  holds: "A reply answers one call, once.",
  cores: 2,
  plan: preemptions(2),
  quick: preemptions(1),
  build(machine) {
    const endpoint = machine.endpoint("service");
    const copy = machine.derive(endpoint, Right.SEND);
    const [service, mine] = [machine.handle(endpoint), machine.handle(copy)];
    machine.guest(
      0,
      function* (sys, { note }) {
        yield sys.recv(service);
        sys.words[0] = 1;
        note("first reply", yield sys.reply(1));
        sys.words[0] = 2;
        note("second reply", yield sys.reply(1));
        yield sys.recv(service);
        sys.words[0] = 3;
        note("third reply", yield sys.reply(1));
      },
      { name: "server" },
    );
    machine.guest(1, function* (sys, { note }) {
      yield sys.call(mine);
      note("first call", sys.words[0]);
      yield sys.call(mine);
      note("second call", sys.words[0]);
    });
    return {
      seen: ({ seen }) => {
        if (seen.get("second reply") !== Err.NO_REPLY) return "a call was answered twice";
        return seen.get("first call") === 1 && seen.get("second call") === 3
          ? null
          : "a call was answered with another's reply";
      },
    };
  },
};

const RING_LINES = 4;

const nestedCall: Scenario = {
  name: "ring-full-nested-call",
  holds: "More clients than a ring has lines, and a server that calls back, are all answered.",
  cores: 2,
  plan: preemptions(1),
  quick: { kind: "random", seed: 1 },
  attack: "C1",
  build(machine) {
    const outer = machine.endpoint("service");
    const inner = machine.endpoint("call back");
    machine.i32[machine.objectAt(outer) + Endpoint.HOME] = 1;
    const [service, back] = [machine.handle(outer), machine.handle(inner)];
    for (let i = 0; i <= RING_LINES; i++)
      machine.guest(0, function* (sys, { note }) {
        note(`client ${i}`, yield sys.call(service));
      });
    machine.guest(0, function* (sys) {
      for (let i = 0; i <= RING_LINES; i++) {
        yield sys.recv(back);
        yield sys.reply();
      }
    });
    machine.guest(1, function* (sys, { note }) {
      for (let i = 0; i <= RING_LINES; i++) {
        yield sys.recv(service);
        // While it owes a reply.
        note(`back ${i}`, yield sys.call(back));
        note(`reply ${i}`, yield sys.reply());
      }
    });
    return {
      seen: ({ seen }) => {
        for (let i = 0; i <= RING_LINES; i++)
          if (seen.get(`client ${i}`) !== Err.OK || seen.get(`back ${i}`) !== Err.OK)
            return `call ${i} was not answered`;
        return null;
      },
    };
  },
};

export const CALL_SCENARIOS: readonly Scenario[] = [
  serverDeath,
  callerDeath,
  replyVsCallerDeath,
  replyTwice,
  nestedCall,
];
