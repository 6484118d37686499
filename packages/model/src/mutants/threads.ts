/** Mutants of how threads and processes end, and of who is told. */
import { preemptions } from "../scenarios/plans.js";
import type { Mutant } from "./mutant.js";

const LIFECYCLE = "kernel/dist/object/thread-end.js";

export const THREAD_MUTANTS: readonly Mutant[] = [
  {
    name: "die-while-lent",
    breaks: "A thread that asked another core is dead, and its memory free, when the one answer has come.",
    scenario: "call-vs-caller-death",
    strategy: preemptions(2),
    edits: [
      {
        module: LIFECYCLE,
        find: "        i32[thread + 0 /* Thread.STATE */] = 8 /* ThreadState.DYING */;\n        askCancel(k, thread);\n",
        replace: "        finishDeath(k, thread);\n",
      },
    ],
  },
  {
    name: "die-without-asking",
    breaks: "Who destroys a thread that waits elsewhere asks for the wait to be given up.",
    scenario: "call-vs-caller-death",
    strategy: preemptions(2),
    edits: [
      { module: LIFECYCLE, find: "        askCancel(k, thread);\n", replace: "        void askCancel;\n" },
    ],
  },
  {
    name: "die-with-reply-owed",
    breaks: "A server that ends fails the call that it has not answered.",
    scenario: "call-vs-server-death",
    strategy: preemptions(2),
    edits: [
      {
        module: LIFECYCLE,
        find: "    if (caller !== 0)\n        wakeIfHere(k, failCall(k, caller, i32[thread + 3 /* Thread.REPLY_CALL */], -33 /* Err.PEER_DIED */));\n",
        replace: "    void caller;\n",
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
        module: "kernel/dist/object/monitor.js",
        find: "            tellIfEnded(k, typeOf(i32[target]), i32[target + 2 /* Slot.OBJECT */]);\n",
        replace: "            void tellIfEnded;\n",
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
        module: "kernel/dist/object/process-end.js",
        find: "    lockTree(k);\n    if (i32[process + 0 /* Process.LIFE */] <= 1 /* LifeState.RUNNING */) {\n        i32[process + 1 /* Process.STATUS */] = status;\n",
        replace: "    lockTree(k);\n    {\n        i32[process + 1 /* Process.STATUS */] = status;\n",
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
        module: "kernel/dist/object/process-end.js",
        find: "    const left = isLive(k, slot) ? killDescendants(k, slot) : 0 /* Left.NONE */;\n",
        replace: "    const left = 0 /* Left.NONE */;\n    void killDescendants;\n",
      },
    ],
  },
];
