/** Threads whose priority changes while they come to wait, wait, or are answered. */
import { Endpoint, Thread } from "@capos/kernel/layout";
import { thread } from "@capos/libos";
import type { Scenario } from "../scenario.js";
import { attempt, isDone } from "./attempt.js";
import { preemptions } from "./plans.js";

const priorityVsQueueing: Scenario = {
  name: "priority-vs-queueing",
  holds:
    "A thread whose priority changes while it comes to a queue on another core, or waits there, stands where the new one says.",
  cores: 3,
  plan: preemptions(2),
  quick: preemptions(1),
  build(machine) {
    const endpoint = machine.endpoint("service");
    const service = machine.handle(endpoint);
    for (const [name, priority] of [
      ["mover", 10],
      ["other", 20],
    ] as const)
      machine.guest(
        1,
        function* (sys) {
          yield sys.send(service);
        },
        { name, priority },
      );
    const [mover] = machine.guests;
    const target = machine.handle(mover.slot);
    machine.guest(2, function* (sys, { note }) {
      note("priority", yield* attempt(thread.priority(sys, target, 30)));
    });
    return {
      mayWait: ["mover", "other"],
      seen: ({ seen }) => {
        if (!isDone(seen, "priority")) return "the priority was not set";
        const first = machine.i32[machine.objectAt(endpoint) + Endpoint.QUEUE_HEAD];
        if (machine.i32[mover.thread + Thread.QUEUE_PRIORITY] !== 30)
          return "it stands with its old priority";
        return first === mover.thread ? null : "it is not the first";
      },
    };
  },
};

const priorityVsNextWait: Scenario = {
  name: "priority-vs-next-wait",
  holds:
    "A core that is asked to look for a thread which waits elsewhere by now touches no queue but its own.",
  cores: 3,
  plan: preemptions(2),
  quick: preemptions(1),
  build(machine) {
    const [first, second] = [machine.endpoint("first"), machine.endpoint("second", 1)];
    const [far, near] = [machine.handle(first), machine.handle(second)];
    machine.guest(
      1,
      function* (sys, { note }) {
        note("send", yield sys.send(far));
        yield sys.recv(near);
      },
      { name: "mover", priority: 10 },
    );
    machine.guest(
      1,
      function* (sys) {
        yield sys.recv(near);
      },
      { name: "other", priority: 9 },
    );
    const [mover] = machine.guests;
    const target = machine.handle(mover.slot);
    machine.guest(0, function* (sys, { note }) {
      note("receive", yield sys.recv(far));
    });
    machine.guest(2, function* (sys, { note }) {
      note("priority", yield* attempt(thread.priority(sys, target, 30)));
    });
    return {
      mayWait: ["mover", "other"],
      seen: ({ seen }) => {
        if (seen.get("send") !== 0 || seen.get("receive") !== 0) return "the message was lost";
        return isDone(seen, "priority") ? null : "the priority was not set";
      },
    };
  },
};

export const PRIORITIES: readonly Scenario[] = [priorityVsQueueing, priorityVsNextWait];
