/** Traps that do not wait, against those who do: what they find is so at one instant, and nobody loses anything by it. */
import { Err, Right } from "@capos/abi";
import type { Scenario } from "../scenario.js";
import { preemptions } from "./plans.js";
import { bindAtFirst } from "./signals.js";

const pollVsWait: Scenario = {
  name: "poll-vs-wait",
  holds: "Of who polls on one core and who waits on another exactly one has a signal.",
  cores: 2,
  plan: preemptions(3),
  quick: preemptions(1),
  build(machine) {
    const news = machine.notification("news");
    const one = machine.derive(news, Right.SEND, 1);
    const [all, mine] = [machine.handle(news), machine.handle(one)];
    machine.guest(
      0,
      function* (sys, { note }) {
        note("waited", yield sys.wait(all));
      },
      { name: "waiter" },
    );
    machine.guest(1, function* (sys, { note }) {
      note("notify", yield sys.notify(mine));
      note("polled", yield sys.poll(all));
    });
    return {
      mayWait: ["waiter"],
      seen: ({ seen }) => {
        if (seen.get("notify") !== Err.OK) return "the signal failed";
        const polled = seen.get("polled") === Err.OK;
        if (!polled && seen.get("polled") !== Err.WOULD_BLOCK) return "the poll failed";
        return seen.has("waited") !== polled ? null : "not one of them had the signal";
      },
    };
  },
};

const pollVsBound: Scenario = {
  name: "poll-vs-bound",
  holds:
    "A receive is ended by the bits of its bound notification, and not by bits that who polls has taken.",
  cores: 2,
  plan: preemptions(3),
  quick: preemptions(1),
  build(machine) {
    const news = machine.notification("news");
    const service = machine.handle(machine.endpoint("service"));
    const all = machine.handle(news);
    const receiver = machine.guest(
      0,
      function* (sys, { note }) {
        const answer = yield sys.recv(service);
        note("woken", answer === 0 && sys.notified() ? sys.badge() : -1);
      },
      { name: "receiver" },
    );
    bindAtFirst(machine, receiver, news);
    machine.guest(1, function* (sys, { note }) {
      note("notify", yield sys.notify(all));
      note("polled", yield sys.poll(all));
    });
    return {
      mayWait: ["receiver"],
      seen: ({ seen }) => {
        if (seen.get("notify") !== Err.OK) return "the signal failed";
        const polled = seen.get("polled") === Err.OK;
        if (polled) return seen.has("woken") ? "the receiver was woken for nothing" : null;
        return seen.get("woken") === 1 ? null : "the receiver did not have the bits";
      },
    };
  },
};

const nbSendVsReceive: Scenario = {
  name: "nb-send-vs-receive",
  holds: "A send that does not wait finds a receiver or answers WOULD_BLOCK, whoever else sends.",
  cores: 2,
  plan: preemptions(2),
  quick: preemptions(1),
  build(machine) {
    const service = machine.handle(machine.endpoint("service"));
    machine.guest(
      0,
      function* (sys, { note }) {
        note("received", yield sys.recv(service));
      },
      { name: "receiver", priority: 20 },
    );
    machine.guest(
      0,
      function* (sys, { note }) {
        note("sent", yield sys.send(service));
      },
      { name: "sender" },
    );
    machine.guest(1, function* (sys, { note }) {
      note("tried", yield sys.nbSend(service));
    });
    return {
      mayWait: ["receiver", "sender"],
      seen: ({ seen }) => {
        const tried = seen.get("tried");
        if (tried !== Err.OK && tried !== Err.WOULD_BLOCK) return "it failed otherwise";
        return (seen.get("sent") === Err.OK) !== (tried === Err.OK)
          ? null
          : "one receive took two messages, or none";
      },
    };
  },
};

export const LOOKS: readonly Scenario[] = [pollVsWait, pollVsBound, nbSendVsReceive];
