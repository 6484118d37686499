/** Grace periods: of cores that run, idle, wake, halt, leave, and ask at once. */
import { InitSlot, type Sys } from "@capos/abi";
import { Attention, attentionOf, CoreArea, CoreState, coreArea } from "@capos/hal";
import { debug } from "@capos/libos";
import type { Scenario } from "../scenario.js";
import { EXHAUSTIVE, preemptions } from "./plans.js";
import { allRead, sendAndAsk } from "./unread.js";

const graceIdle: Scenario = {
  name: "grace-idle",
  holds: "A grace period is over when the other core idles, halts, or has halted.",
  cores: 2,
  plan: EXHAUSTIVE,
  quick: EXHAUSTIVE,
  build(machine) {
    const kernel = machine.handle(InitSlot.DEBUG);
    machine.guest(0, (sys) => gracePeriod(sys, kernel), { name: "asker" });
    return {};
  },
};

function* gracePeriod(sys: Sys, kernel: number): Generator<number, void, number> {
  yield* debug.gracePeriod(sys, kernel);
}

const graceTwoAtOnce: Scenario = {
  name: "grace-two-at-once",
  holds: "Two cores that ask for a grace period at once both see it end.",
  cores: 2,
  plan: preemptions(4),
  quick: preemptions(2),
  build(machine) {
    const kernel = machine.handle(InitSlot.DEBUG);
    for (const core of [0, 1])
      machine.guest(core, (sys) => gracePeriod(sys, kernel), { name: `asker ${core}` });
    return {};
  },
};

const graceVsMessage: Scenario = {
  name: "grace-vs-message",
  holds:
    "When a grace period is over that was asked for after a message was sent, the message has been read.",
  cores: 2,
  plan: EXHAUSTIVE,
  quick: preemptions(2),
  build(machine) {
    const { i32, memory } = machine;
    const kernel = machine.handle(InitSlot.DEBUG);
    const notification = machine.notification("N", 1);
    const signalling = machine.handle(notification);
    machine.guest(
      0,
      function* (sys, { look, note }) {
        yield sys.notify(signalling);
        // Where this core writes is its own.
        const written = i32[coreArea(memory, 0) + CoreArea.RING_WRITE + 1];
        yield* debug.gracePeriod(sys, kernel);
        note("unread", written - (yield* look(coreArea(memory, 1) + CoreArea.RING_READ)));
      },
      { name: "asker" },
    );
    machine.guest(
      1,
      function* (sys) {
        yield sys.wait(signalling);
      },
      { name: "waiter" },
    );
    return { seen: ({ seen }) => (seen.get("unread") === 0 ? null : "a message was not read") };
  },
};

const graceLongRun: Scenario = {
  name: "grace-long-run",
  holds:
    "No grace period waits for a guest that runs for long, and a message to its core that came before has been read.",
  cores: 2,
  plan: preemptions(3),
  quick: preemptions(2),
  build(machine) {
    const service = machine.handle(machine.endpoint("service", 1));
    sendAndAsk(machine, 0, service);
    machine.guest(
      1,
      function* (sys, { runLong }) {
        yield* runLong();
        yield* runLong();
        yield sys.recv(service);
      },
      { name: "runner" },
    );
    return { seen: allRead };
  },
};

const graceWaking: Scenario = {
  name: "grace-waking",
  holds: "A core that leaves its halt while a grace period begins takes part in it before it runs a guest.",
  attack: "C4",
  cores: 2,
  plan: preemptions(3),
  quick: preemptions(2),
  build(machine) {
    const kernel = machine.handle(InitSlot.DEBUG);
    const notification = machine.handle(machine.notification("N", 1));
    machine.guest(
      0,
      function* (sys) {
        yield sys.notify(notification);
        yield* debug.gracePeriod(sys, kernel);
        yield sys.notify(notification);
        yield* debug.gracePeriod(sys, kernel);
      },
      { name: "asker" },
    );
    machine.guest(
      1,
      function* (sys) {
        yield sys.wait(notification);
      },
      { name: "waiter" },
    );
    return {};
  },
};

const graceOffline: Scenario = {
  name: "grace-offline",
  holds: "A core that leaves the machine holds up no grace period, and does leave.",
  cores: 2,
  plan: preemptions(4),
  quick: preemptions(2),
  build(machine) {
    const kernel = machine.handle(InitSlot.DEBUG);
    machine.guest(0, (sys) => gracePeriod(sys, kernel), { name: "asker" });
    machine.i32[coreArea(machine.memory, 1) + CoreArea.LEAVE] = 1;
    return {
      programs: [
        null,
        function* (program, core, { memory }) {
          yield* program.raise(memory, attentionOf(memory, 1), Attention.POWER);
          yield* program.run(core);
        },
      ],
      seen: () =>
        machine.i32[coreArea(machine.memory, 1) + CoreArea.STATE] === CoreState.ABSENT
          ? null
          : "core 1 has not left",
    };
  },
};

export const GRACE_PERIODS: readonly Scenario[] = [
  graceIdle,
  graceTwoAtOnce,
  graceVsMessage,
  graceLongRun,
  graceWaking,
  graceOffline,
];
