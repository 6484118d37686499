/** What a core has done before it reports a grace period. */
import { InitSlot, Right } from "@capos/abi";
import { Thread } from "@capos/kernel/layout";
import { cnode, debug } from "@capos/libos";
import type { Judgement, Scenario } from "../scenario.js";
import { attempt, isDone } from "./attempt.js";
import { preemptions } from "./plans.js";
import { allRead, sendAndAsk } from "./unread.js";

const graceVsSweep: Scenario = {
  name: "grace-vs-sweep",
  holds: "When a grace period is over that was asked for after a kill, nobody waits through the dead slot.",
  cores: 2,
  plan: preemptions(3),
  quick: preemptions(2),
  attack: "C2",
  build(machine) {
    const endpoint = machine.endpoint("service", 1);
    const copy = machine.derive(endpoint, Right.SEND);
    const [space, kernel] = [machine.handle(InitSlot.CNODE), machine.handle(InitSlot.DEBUG)];
    const mine = machine.handle(copy);
    const sender = machine.guest(1, function* (sys, { note }) {
      note("send", yield sys.send(mine));
    });
    machine.guest(0, function* (sys, { look, note }) {
      note("delete", yield* attempt(cnode.delete(sys, space, copy)));
      yield* debug.gracePeriod(sys, kernel);
      note("queue", yield* look(sender.thread + Thread.QUEUE));
    });
    return {
      seen: ({ seen }) => {
        if (!isDone(seen, "delete")) return "the capability was not deleted";
        return seen.get("queue") === machine.objectAt(endpoint) ? "the sender still waited" : null;
      },
    };
  },
};

/**
 * A message to core 1 after a grace period was asked for, and before a second one is.
 *
 * @param sender the core of the message and the second request; the first is core 0's
 */
export function laterMessage(
  name: string,
  holds: string,
  sender: number,
  programs: NonNullable<Judgement["programs"]>,
): Scenario {
  return {
    name,
    holds,
    cores: sender === 0 ? 2 : 3,
    plan: preemptions(sender === 0 ? 3 : 2),
    quick: preemptions(sender === 0 ? 2 : 1),
    build(machine) {
      const kernel = machine.handle(InitSlot.DEBUG);
      const service = machine.handle(machine.endpoint("service", 1));
      machine.guest(
        0,
        function* (sys) {
          yield* debug.gracePeriod(sys, kernel);
        },
        { name: "first asker" },
      );
      sendAndAsk(machine, sender, service);
      // Nobody receives.
      return { programs, mayWait: ["sender"], leavesNothing: false, seen: allRead };
    },
  };
}

export const REPORT_SCENARIOS: readonly Scenario[] = [
  graceVsSweep,
  laterMessage(
    "grace-vs-later-message",
    "A core that takes part in a grace period does not report a later one whose messages it has not read.",
    0,
    [],
  ),
];
