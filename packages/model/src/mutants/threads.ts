/** Mutants of how threads and processes end, and of who is told. */
import { preemptions } from "../scenarios/plans.js";
import type { Mutant } from "./mutant.js";

export const THREAD_MUTANTS: readonly Mutant[] = [
  {
    name: "die-while-lent",
    breaks: "A thread that asked another core is dead, and its memory free, when the one answer has come.",
    scenario: "call-vs-caller-death",
    strategy: preemptions(2),
    edits: [
      {
        function: "endThread",
        find: "i32[thread + Thread.STATE] = ThreadState.DYING; askCancel(k, thread);",
        replace: "finishDeath(k, thread);",
      },
    ],
  },
  {
    name: "die-without-asking",
    breaks: "Who destroys a thread that waits elsewhere asks for the wait to be given up.",
    scenario: "call-vs-caller-death",
    strategy: preemptions(2),
    edits: [{ function: "endThread", find: "askCancel(k, thread);", replace: "" }],
  },
  {
    name: "die-with-reply-owed",
    breaks: "A server that ends fails the call that it has not answered.",
    scenario: "call-vs-server-death",
    strategy: preemptions(2),
    edits: [
      {
        function: "finishDeath",
        find: `if (caller !== 0)
  wakeIfHere(k, failCall(k, caller, i32[thread + Thread.REPLY_CALL], Err.PEER_DIED));`,
        replace: "",
      },
    ],
  },
  {
    name: "watch-without-look",
    breaks:
      "Who attaches a monitor looks whether its target has ended already; who ends says so before it looks for monitors.",
    scenario: "monitor-vs-exit",
    strategy: preemptions(2),
    edits: [
      {
        function: "arm",
        find: "tellIfEnded(k, typeOf(i32[target]), i32[target + Slot.OBJECT]);",
        replace: "",
      },
    ],
  },
  {
    name: "last-end-counts",
    breaks: "Of two that end a process at once the first is believed, under the lock.",
    scenario: "process-kill-vs-exit",
    strategy: preemptions(1),
    edits: [
      {
        function: "endProcess",
        find: "if (i32[process + Process.LIFE] <= LifeState.RUNNING) {",
        replace: "{",
      },
    ],
  },
  {
    name: "kill-leaves-children",
    breaks: "What a process made from its own untyped memory is destroyed with it, wherever it is.",
    scenario: "process-kill-vs-transfer",
    strategy: preemptions(1),
    edits: [
      {
        function: "destroyMadeFrom",
        find: "isLive(k, slot) ? killDescendants(held, slot) : Left.NONE",
        replace: "Left.NONE",
      },
    ],
  },
];
