/** A core that watches a ring: messages that come without a bell, while it halts, takes part in a grace period, or changes. */
import type { Machine } from "../machine.js";
import type { Judgement, Scenario } from "../scenario.js";
import { EXHAUSTIVE, preemptions } from "./plans.js";
import { laterMessage } from "./reports.js";
import { allRead, sendAndAsk } from "./unread.js";

type CoreProgram = NonNullable<NonNullable<Judgement["programs"]>[number]>;

/** A core that watches the ring from another when it comes to its loop. */
function watchingFrom(from: number): CoreProgram {
  return function* (program, core) {
    yield* program.watchRing(core, from);
    yield* program.run(core);
  };
}

/** The same, and one more message from core 2 makes it change. */
const aboutToChange: CoreProgram = function* (program, core) {
  yield* program.watchRing(core, 0);
  core.lastBellFrom = 2;
  core.bellsInRow = 1000;
  yield* program.run(core);
};

/** A thread of core 1 waits at a notification there, one of another core signals it. Its handle. */
function signalled(machine: Machine, name: string, from: number): void {
  const notification = machine.handle(machine.notification(name, 1));
  machine.guest(
    from,
    function* (sys) {
      yield sys.notify(notification);
    },
    { name: `signaller of ${name}` },
  );
  machine.guest(
    1,
    function* (sys) {
      yield sys.wait(notification);
    },
    { name: `waiter at ${name}` },
  );
}

const watchedVsHalt: Scenario = {
  name: "watched-vs-halt",
  holds: "A message without a bell is read by a core that is about to halt.",
  cores: 2,
  plan: EXHAUSTIVE,
  quick: EXHAUSTIVE,
  build(machine) {
    signalled(machine, "N", 0);
    return { programs: [null, watchingFrom(0)] };
  },
};

const watchedVsGrace: Scenario = {
  name: "watched-vs-grace",
  holds:
    "When a grace period is over that was asked for after a message without a bell, the message has been read.",
  cores: 2,
  plan: preemptions(3),
  quick: preemptions(2),
  build(machine) {
    const service = machine.handle(machine.endpoint("service", 1));
    sendAndAsk(machine, 0, service);
    machine.guest(
      1,
      function* (sys, { runLong }) {
        yield sys.nothing();
        yield* runLong();
      },
      { name: "other" },
    );
    return {
      programs: [null, watchingFrom(0)],
      // Nobody receives.
      ...{ mayWait: ["sender"], leavesNothing: false },
      seen: allRead,
    };
  },
};

const watchedVsChange: Scenario = {
  name: "watched-vs-change",
  holds: "A message without a bell is read by a core that begins to watch another ring.",
  cores: 3,
  plan: preemptions(3),
  quick: preemptions(2),
  build(machine) {
    signalled(machine, "N", 0);
    signalled(machine, "M", 2);
    return { programs: [null, aboutToChange, null] };
  },
};

export const WATCHED_RINGS: readonly Scenario[] = [
  watchedVsHalt,
  watchedVsGrace,
  laterMessage(
    "watched-vs-later-grace",
    "A core that gives its hardware thread to others is not counted with a message unread that had no bell.",
    2,
    [null, watchingFrom(2), null],
  ),
  watchedVsChange,
];
