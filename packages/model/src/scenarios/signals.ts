/** Notifications: signals, waits, bindings, destruction. */
import { Err, InitSlot, ObjectType, Right } from "@capos/abi";
import { bindSlot, type SlotRef } from "@capos/kernel/internal";
import { Binding, Endpoint, Notification, Thread } from "@capos/kernel/layout";
import { cnode, thread, untyped } from "@capos/libos";
import type { Guest } from "../guest.js";
import type { Machine } from "../machine.js";
import type { Scenario } from "../scenario.js";
import { attempt, isDone, isTakenBack } from "./attempt.js";
import { byChance, EXHAUSTIVE, preemptions } from "./plans.js";

const signalVsWait: Scenario = {
  name: "signal-vs-wait",
  holds: "No signal is lost, and who waits for one is woken.",
  cores: 2,
  plan: EXHAUSTIVE,
  quick: EXHAUSTIVE,
  build(machine) {
    const news = machine.notification("news");
    const [one, two] = [machine.derive(news, Right.SEND, 1), machine.derive(news, Right.SEND, 2)];
    const [all, first, second] = [machine.handle(news), machine.handle(one), machine.handle(two)];
    machine.guest(0, function* (sys, { note }) {
      let bits = 0;
      while (bits !== 3) {
        const answer = yield sys.wait(all);
        if (answer !== Err.OK) break;
        bits |= sys.badge();
        note("bits", bits);
      }
    });
    machine.guest(1, function* (sys, { note }) {
      note("first", yield sys.notify(first));
      note("second", yield sys.notify(second));
    });
    return { seen: ({ seen }) => (seen.get("bits") === 3 ? null : "a wait failed") };
  },
};

const signalAtHome: Scenario = {
  name: "signal-at-home",
  holds: "Signals of the notification's own core and of another at once: none is lost, and none comes twice.",
  cores: 2,
  plan: EXHAUSTIVE,
  quick: preemptions(2),
  build(machine) {
    const news = machine.notification("news");
    const [one, two] = [machine.derive(news, Right.SEND, 1), machine.derive(news, Right.SEND, 2)];
    const [all, near, far] = [machine.handle(news), machine.handle(one), machine.handle(two)];
    machine.guest(0, function* (sys, { note }) {
      let bits = 0;
      while (bits !== 3) {
        const answer = yield sys.wait(all);
        if (answer !== Err.OK || (bits & sys.badge()) !== 0) break;
        bits |= sys.badge();
      }
      note("bits", bits);
    });
    machine.guest(0, function* (sys, { note }) {
      note("near", yield sys.notify(near));
    });
    machine.guest(1, function* (sys, { note }) {
      note("far", yield sys.notify(far));
    });
    return {
      seen: ({ seen }) =>
        seen.get("bits") === 3 && seen.get("near") === Err.OK && seen.get("far") === Err.OK
          ? null
          : "a signal was lost or came twice",
    };
  },
};

const waitVsDestruction: Scenario = {
  name: "signal-vs-wait-vs-destruction",
  holds: "A wait ends with the signal or with the notification, and one of the two comes.",
  cores: 2,
  plan: preemptions(3),
  quick: preemptions(2),
  build(machine) {
    const news = machine.notification("news");
    const copy = machine.derive(news);
    const space = machine.handle(InitSlot.CNODE);
    const [all, mine] = [machine.handle(news), machine.handle(copy)];
    machine.guest(0, function* (sys, { note }) {
      note("notify", yield sys.notify(all));
      yield* attempt(cnode.delete(sys, space, copy));
      yield* attempt(cnode.delete(sys, space, news));
    });
    machine.guest(1, function* (sys, { note }) {
      note("wait", yield sys.wait(mine));
    });
    return {
      seen: ({ seen }) => {
        if (seen.get("notify") !== Err.OK) return "the signal failed";
        const answer = seen.get("wait");
        return answer === Err.OK || isTakenBack(answer) ? null : "the wait ended otherwise";
      },
    };
  },
};

const bindingVsRevoke: Scenario = {
  name: "binding-vs-revoke",
  holds: "A binding ends with the capability that it was made with, whichever came first.",
  cores: 2,
  plan: preemptions(2),
  quick: preemptions(1),
  attack: "H3, H4",
  build(machine) {
    const news = machine.notification("news");
    const copy = machine.derive(news);
    const endpoint = machine.endpoint("service");
    machine.i32[machine.objectAt(endpoint) + Endpoint.HOME] = 1;
    const space = machine.handle(InitSlot.CNODE);
    const [all, mine, service] = [machine.handle(news), machine.handle(copy), machine.handle(endpoint)];
    const receiver: Guest = machine.guest(
      1,
      function* (sys, { note }) {
        note("bind", yield* attempt(thread.bind(sys, machine.handle(receiver.slot), mine)));
        yield sys.recv(service);
        note("woken", true);
      },
      { name: "receiver" },
    );
    machine.guest(0, function* (sys, { note }) {
      note("revoke", yield* attempt(cnode.revoke(sys, space, all)));
      note("notify", yield sys.notify(all));
    });
    return {
      mayWait: ["receiver"],
      seen: ({ seen }) => {
        if (!isDone(seen, "revoke") || seen.get("notify") !== Err.OK) return "the revocation failed";
        if (!isDone(seen, "bind") && !isTakenBack(seen.get("bind"))) return "the binding failed otherwise";
        return seen.has("woken") ? "a binding was there after the revocation had returned" : null;
      },
    };
  },
};

/** Binds a notification to a guest, before anything runs. It lives where the thread does. */
export function bindAtFirst(machine: Machine, guest: Guest, notification: number): void {
  const { i32 } = machine;
  const object = machine.objectAt(notification);
  machine.atSetUp((held) =>
    bindSlot(
      held,
      machine.slotAt(notification),
      (guest.thread + Thread.BINDING) as SlotRef,
      Binding.THREAD_NOTIFICATION,
    ),
  );
  i32[object + Notification.HOME] = guest.core;
  i32[guest.thread + Thread.BOUND_NOTIFICATION] = object;
  i32[object + Notification.BOUND_THREAD] = guest.thread;
  i32[object + Notification.WAITING] = 1;
}

const cancelVsDelivery: Scenario = {
  name: "cancel-vs-delivery",
  holds:
    "A receive that a bound notification ends loses neither the signal nor a message, and gets neither twice.",
  cores: 2,
  plan: preemptions(2),
  quick: preemptions(1),
  attack: "H13",
  build(machine) {
    const news = machine.notification("news");
    const endpoint = machine.endpoint("service");
    const [all, service] = [machine.handle(news), machine.handle(endpoint)];
    const receiver = machine.guest(
      1,
      function* (sys, { note }) {
        let [signals, messages] = [0, 0];
        while (signals === 0 || messages === 0) {
          const answer = yield sys.recv(service);
          if (answer < 0) break;
          if (sys.notified()) note("signals", ++signals);
          else note("messages", ++messages);
        }
      },
      { name: "receiver" },
    );
    bindAtFirst(machine, receiver, news);
    machine.guest(0, function* (sys, { note }) {
      note("notify", yield sys.notify(all));
      note("send", yield sys.send(service));
    });
    return {
      seen: ({ seen }) => {
        if (seen.get("notify") !== Err.OK || seen.get("send") !== Err.OK) return "the sender was refused";
        return seen.get("signals") === 1 && seen.get("messages") === 1 ? null : "not one of each arrived";
      },
    };
  },
};

const cancelVsLaterCall: Scenario = {
  name: "cancel-vs-later-call",
  holds: "A cancellation that comes too late gives up nothing that its thread asked for afterwards.",
  cores: 3,
  plan: byChance(4),
  quick: byChance(4),
  attack: "H13",
  build(machine) {
    const news = machine.notification("news");
    const [first, second] = [machine.endpoint("first"), machine.endpoint("second")];
    machine.i32[machine.objectAt(second) + Endpoint.HOME] = 1;
    const window = machine.freeSlot();
    const [all, near, far] = [machine.handle(news), machine.handle(first), machine.handle(second)];
    const caller = machine.guest(
      1,
      function* (sys, { note }) {
        let [signals, messages] = [0, 0];
        while (signals === 0 || messages === 0) {
          const answer = yield sys.recv(near);
          if (answer < 0) break;
          if (sys.notified()) note("signals", ++signals);
          else note("messages", ++messages);
        }
        sys.receiveInto(window, 1);
        note("call", yield sys.call(far));
      },
      { name: "caller" },
    );
    bindAtFirst(machine, caller, news);
    machine.guest(0, function* (sys, { note }) {
      note("send", yield sys.send(near));
    });
    machine.guest(2, function* (sys, { note }) {
      note("notify", yield sys.notify(all));
      note("receive", yield sys.recv(far));
      note("reply", yield sys.reply(0, near));
    });
    return {
      seen: ({ seen }) =>
        seen.get("call") === Err.OK && seen.get("reply") === Err.OK ? null : "the call was not answered",
    };
  },
};

const signalVsMemoryReuse: Scenario = {
  name: "signal-vs-memory-reuse",
  holds: "A notification's memory is used again when no core may be told to look at it any more.",
  cores: 3,
  plan: preemptions(1),
  quick: preemptions(1),
  attack: "C2",
  build(machine) {
    const memory = machine.untyped("memory", 8);
    const news = machine.make(ObjectType.NOTIFICATION, "news", 0, memory);
    const [copy, other] = [machine.derive(news, Right.SEND), machine.derive(news, Right.RECEIVE)];
    const to = machine.freeSlot();
    const space = machine.handle(InitSlot.CNODE);
    const [owner, mine, waiting] = [machine.handle(memory), machine.handle(copy), machine.handle(other)];
    // As long as somebody waits, the notification's home is told of signals.
    machine.guest(0, function* (sys) {
      yield sys.wait(waiting);
    });
    machine.guest(1, function* (sys, { note }) {
      note("notify", yield sys.notify(mine));
    });
    machine.guest(2, function* (sys, { note }) {
      for (const slot of [copy, other, news]) yield* attempt(cnode.delete(sys, space, slot));
      // All of it: what was there is gone.
      note("retype", yield* attempt(untyped.retype(sys, owner, ObjectType.MONITOR, 0, 1, space, to)));
    });
    return {
      seen: ({ seen }) => (isDone(seen, "retype") ? null : "the memory could not be used again"),
    };
  },
};

const boundVsCall: Scenario = {
  name: "bound-notification-vs-call",
  holds:
    "A server with a bound notification answers the call and sees the signal, in whatever order they come.",
  cores: 2,
  plan: preemptions(2),
  quick: preemptions(1),
  build(machine) {
    const news = machine.notification("news");
    const endpoint = machine.endpoint("service");
    const [all, service] = [machine.handle(news), machine.handle(endpoint)];
    const server = machine.guest(
      0,
      function* (sys, { note }) {
        let [signals, calls] = [0, 0];
        while (signals === 0 || calls === 0) {
          const answer = yield sys.recv(service);
          if (answer < 0) break;
          if (sys.notified()) note("signals", ++signals);
          else {
            note("calls", ++calls);
            note("reply", yield sys.reply());
          }
        }
      },
      { name: "server" },
    );
    bindAtFirst(machine, server, news);
    machine.guest(1, function* (sys, { note }) {
      note("notify", yield sys.notify(all));
      note("call", yield sys.call(service));
    });
    return {
      seen: ({ seen }) => {
        if (seen.get("notify") !== Err.OK || seen.get("call") !== Err.OK) return "the caller was refused";
        return seen.get("signals") === 1 && seen.get("calls") === 1 ? null : "not one of each arrived";
      },
    };
  },
};

export const SIGNAL_SCENARIOS: readonly Scenario[] = [
  signalVsWait,
  signalAtHome,
  waitVsDestruction,
  bindingVsRevoke,
  cancelVsDelivery,
  cancelVsLaterCall,
  signalVsMemoryReuse,
  boundVsCall,
];
