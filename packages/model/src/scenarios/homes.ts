/** Homes of endpoints and notifications, where threads of two cores wait at the same one. */
import type { Sys } from "@capos/abi";
import type { Machine } from "../machine.js";
import type { Judgement, Scenario } from "../scenario.js";
import { EXHAUSTIVE } from "./plans.js";

const WAITERS = ["waiter 0", "waiter 1"];

/** A thread of each core waits; nobody ever comes. What is judged is that all comes to rest. */
function twoWaiters(machine: Machine, trap: (sys: Sys) => number): Judgement {
  for (const core of [0, 1])
    machine.guest(
      core,
      function* (sys) {
        yield trap(sys);
      },
      { name: WAITERS[core] },
    );
  return { mayWait: WAITERS };
}

const receiveVsReceive: Scenario = {
  name: "receive-vs-receive",
  holds:
    "Receivers of two cores at an empty endpoint both come to wait: its home does not go to and fro for ever.",
  cores: 2,
  plan: EXHAUSTIVE,
  quick: EXHAUSTIVE,
  build(machine) {
    const endpoint = machine.handle(machine.endpoint("E"));
    return twoWaiters(machine, (sys) => sys.recv(endpoint));
  },
};

const waitVsWait: Scenario = {
  name: "wait-vs-wait",
  holds: "Threads of two cores at a notification without bits both come to wait.",
  cores: 2,
  plan: EXHAUSTIVE,
  quick: EXHAUSTIVE,
  build(machine) {
    const notification = machine.handle(machine.notification("N"));
    return twoWaiters(machine, (sys) => sys.wait(notification));
  },
};

export const HOMES: readonly Scenario[] = [receiveVsReceive, waitVsWait];
