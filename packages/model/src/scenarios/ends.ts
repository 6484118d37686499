/** How threads and processes end, against what they do. */
import { Err, LifeState, ObjectType, Right, SlotBits, SlotState } from "@capos/abi";
import { Notification } from "@capos/kernel/layout";
import { monitor, process, thread } from "@capos/libos";
import type { Scenario } from "../scenario.js";
import { attempt, isDone } from "./attempt.js";
import { preemptions } from "./plans.js";

const destroyRunning: Scenario = {
  name: "thread-destroy-running",
  holds: "When destroy has answered, the thread does nothing any more.",
  cores: 2,
  plan: preemptions(3),
  quick: preemptions(2),
  build(machine) {
    const news = machine.notification("news");
    const all = machine.handle(news);
    const victim = machine.guest(
      1,
      function* (sys) {
        yield sys.notify(all);
        yield sys.notify(all);
      },
      { name: "victim" },
    );
    machine.guest(0, function* (sys, { note }) {
      note("destroy", yield* attempt(thread.destroy(sys, machine.handle(victim.slot))));
      note("poll", yield sys.poll(all));
    });
    return {
      mayWait: ["victim"],
      seen: ({ seen }) => {
        if (!isDone(seen, "destroy")) return "the thread was not destroyed";
        return machine.i32[machine.objectAt(news) + Notification.BITS] === 0
          ? null
          : "it signalled after it had been destroyed";
      },
    };
  },
};

const monitorVsExit: Scenario = {
  name: "monitor-vs-exit",
  holds: "Whoever watches a thread is told of its end, whether he came before or after it.",
  cores: 2,
  plan: preemptions(2),
  quick: preemptions(1),
  build(machine) {
    const watcher = machine.make(ObjectType.MONITOR, "monitor");
    const news = machine.notification("news");
    const target = machine.guest(1, function* () {}, { name: "target", exits: true });
    machine.guest(0, function* (sys, { note }) {
      const [watching, told] = [machine.handle(watcher), machine.handle(news)];
      note("watch", yield* attempt(monitor.watch(sys, watching, machine.handle(target.slot), told)));
      note("wait", yield sys.wait(told));
      const { ended } = yield* monitor.status(sys, watching);
      note("ended", ended);
    });
    return {
      seen: ({ seen }) => {
        if (!isDone(seen, "watch") || seen.get("wait") !== Err.OK) return "the watch failed";
        return seen.get("ended") === true ? null : "it was told of an end that had not come";
      },
    };
  },
};

const killVsExit: Scenario = {
  name: "process-kill-vs-exit",
  holds: "Of two ends of a process the first is believed, and stays.",
  cores: 2,
  plan: preemptions(2),
  quick: preemptions(1),
  build(machine) {
    const child = machine.process("child");
    machine.guest(
      1,
      function* (sys) {
        yield sys.exit(3);
      },
      { name: "first thread", process: child.process },
    );
    machine.guest(0, function* (sys, { note }) {
      const handle = machine.handle(child.process);
      const before = yield* process.status(sys, handle);
      note("kill", yield* attempt(process.kill(sys, handle)));
      const after = yield* process.status(sys, handle);
      note("before", before.state);
      note("after", after.state);
      note("status", after.status);
    });
    return {
      seen: ({ seen }) => {
        if (!isDone(seen, "kill")) return "the process was not killed";
        if (seen.get("before") === LifeState.EXITED && seen.get("after") !== LifeState.EXITED)
          return "a process that had exited was killed";
        return seen.get("status") === (seen.get("after") === LifeState.EXITED ? 3 : 0)
          ? null
          : "the status is of another end";
      },
    };
  },
};

const killVsTransfer: Scenario = {
  name: "process-kill-vs-transfer",
  holds:
    "What a process made from its own memory is gone when it was killed, also where it was sent to meanwhile.",
  cores: 2,
  plan: preemptions(2),
  quick: preemptions(1),
  build(machine) {
    const child = machine.process("child");
    const endpoint = machine.endpoint("service");
    const memory = machine.untyped("memory of the child", 10);
    const made = machine.make(ObjectType.NOTIFICATION, "made by the child", 0, memory);
    const window = machine.freeSlot();
    // The child holds its memory and what it made of it; nobody else does.
    const service = machine.give(child.cnode, 1, endpoint, Right.SEND);
    machine.moveInto(memory, child.cnode, 2);
    const gift = machine.moveInto(made, child.cnode, 3);
    machine.guest(
      1,
      function* (sys) {
        yield sys.send(service, 0, gift);
      },
      { name: "first thread", process: child.process },
    );
    machine.guest(
      0,
      function* (sys, { note }) {
        sys.receiveInto(window, 1);
        note("receive", yield sys.recv(machine.handle(endpoint)));
      },
      { name: "receiver" },
    );
    machine.guest(0, function* (sys, { note }) {
      note("kill", yield* attempt(process.kill(sys, machine.handle(child.process))));
    });
    return {
      mayWait: ["first thread", "receiver"],
      seen: ({ seen }) => {
        if (!isDone(seen, "kill")) return "the process was not killed";
        return (machine.i32[machine.slotAt(window)] & SlotBits.STATE_MASK) === SlotState.LIVE
          ? "what the process made outlived it"
          : null;
      },
    };
  },
};

export const ENDS: readonly Scenario[] = [destroyRunning, monitorVsExit, killVsExit, killVsTransfer];
