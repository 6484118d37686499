/** Rings, doorbells and halts. */
import type { Sys } from "@capos/abi";
import { BootInfo, CoreArea, coreArea, LINE_WORDS, Line } from "@capos/hal";
import type { Machine } from "../machine.js";
import type { Scenario } from "../scenario.js";
import { GRACE_PERIODS } from "./grace-periods.js";
import { EXHAUSTIVE, preemptions } from "./plans.js";
import { WATCHED_RINGS } from "./watched-rings.js";

/** Receives so many messages; notes their first words, in their order. */
function* receiveAll(
  sys: Sys,
  endpoint: number,
  count: number,
  note: (name: string, value: unknown) => void,
): Generator<number, void, number> {
  const words: number[] = [];
  while (words.length < count) {
    yield sys.recv(endpoint);
    words.push(sys.words[0]);
  }
  note("received", words);
}

const doorbellHalt: Scenario = {
  name: "doorbell-halt",
  holds: "A message to a core that is about to halt is received, whole.",
  cores: 2,
  plan: EXHAUSTIVE,
  quick: EXHAUSTIVE,
  build(machine) {
    const endpoint = machine.handle(machine.endpoint("E", 1));
    machine.guest(
      0,
      function* (sys, { note }) {
        sys.words[0] = 7;
        note("send", yield sys.send(endpoint, 1));
      },
      { name: "sender" },
    );
    machine.guest(1, (sys, { note }) => receiveAll(sys, endpoint, 1, note), { name: "receiver" });
    return {
      seen: ({ seen }) => (String(seen.get("received")) === "7" ? null : "something else was received"),
    };
  },
};

/** Senders on core 0, one message each, to a receiver on core 1; whoever finds the ring full waits for room. */
function sendersToOne(machine: Machine, senders: number): void {
  const endpoint = machine.handle(machine.endpoint("E", 1));
  for (let i = 1; i <= senders; i++)
    machine.guest(
      0,
      function* (sys, { note }) {
        sys.words[0] = i;
        note(`send ${i}`, yield sys.send(endpoint, 1));
      },
      { name: `sender ${i}` },
    );
  machine.guest(1, (sys, { note }) => receiveAll(sys, endpoint, senders, note), { name: "receiver" });
}

const ringFull: Scenario = {
  name: "ring-full",
  holds: "Threads that find the ring full wait, and each message is received once.",
  cores: 2,
  ringLines: 1,
  plan: preemptions(3),
  quick: preemptions(2),
  build(machine) {
    sendersToOne(machine, 2);
    return {
      seen: ({ seen }) =>
        String([...((seen.get("received") as number[]) ?? [])].sort()) === "1,2"
          ? null
          : "not every message was received once",
    };
  },
};

/** Positions count modulo 2^30. */
const LAST_POSITION = 0x3fff_ffff;

const ringWrap: Scenario = {
  name: "ring-wrap",
  holds: "Messages are received in the order in which they were sent where positions and laps wrap.",
  cores: 2,
  ringLines: 2,
  plan: EXHAUSTIVE,
  quick: EXHAUSTIVE,
  build(machine) {
    const { i32, memory } = machine;
    for (const [from, to] of [
      [0, 1],
      [1, 0],
    ] as const) {
      i32[coreArea(memory, from) + CoreArea.RING_WRITE + to] = LAST_POSITION;
      i32[coreArea(memory, from) + CoreArea.RING_SEEN + to] = LAST_POSITION;
      i32[coreArea(memory, to) + CoreArea.RING_READ + from] = LAST_POSITION;
      // Both lines were written in the laps before: positions 2^30 - 2 and 2^30 - 3.
      const ring = i32[BootInfo.RINGS] + (to * 2 + from) * 2 * LINE_WORDS;
      i32[ring + Line.KIND] = 0x7fff_0000 | 1;
      i32[ring + LINE_WORDS + Line.KIND] = 0x7ffe_0000 | 1;
    }
    const endpoint = machine.handle(machine.endpoint("E", 1));
    machine.guest(
      0,
      function* (sys, { note }) {
        for (let i = 1; i <= 2; i++) {
          sys.words[0] = i;
          note(`send ${i}`, yield sys.send(endpoint, 1));
        }
      },
      { name: "sender" },
    );
    machine.guest(1, (sys, { note }) => receiveAll(sys, endpoint, 2, note), { name: "receiver" });
    return {
      seen: ({ seen }) => (String(seen.get("received")) === "1,2" ? null : "the order is another"),
    };
  },
};

const twoProducers: Scenario = {
  name: "two-producers",
  holds: "What two cores send to a third at once is received, all of it.",
  cores: 3,
  plan: preemptions(2),
  quick: preemptions(1),
  build(machine) {
    const notification = machine.notification("N", 2);
    const receiving = machine.handle(notification);
    for (const core of [0, 1]) {
      const sending = machine.handle(machine.derive(notification, undefined, core + 1));
      machine.guest(
        core,
        function* (sys) {
          yield sys.notify(sending);
        },
        { name: `signaller ${core}` },
      );
    }
    machine.guest(
      2,
      function* (sys) {
        for (let bits = 0; bits !== 3; bits |= sys.badge()) yield sys.wait(receiving);
      },
      { name: "receiver" },
    );
    return {};
  },
};

export const MACHINE: readonly Scenario[] = [
  doorbellHalt,
  ringFull,
  ringWrap,
  twoProducers,
  ...WATCHED_RINGS,
  ...GRACE_PERIODS,
];
