/** Mutants of transfers, queues, notifications, replies and cancellations. */
import { byChance, EXHAUSTIVE, preemptions } from "../scenarios/plans.js";
import type { Mutant } from "./mutant.js";

const SLOT = "kernel/dist/capability/slot.js";
const INCOMING = "kernel/dist/loop/incoming.js";
const NOTIFICATION = "kernel/dist/ipc/notification.js";
const REMOTE = "kernel/dist/ipc/remote.js";
const REPLY = "kernel/dist/ipc/reply.js";
const SAFE_POINT = "kernel/dist/loop/safe-point.js";

/** What the home checks when a request has come. */
const CHECK =
  "    if (slotStillNames(k, i32[line + 3 /* Line.SLOT */], i32[line + 4 /* Line.GENERATION */], object))\n";

export const MESSAGE_MUTANTS: readonly Mutant[] = [
  {
    name: "no-check-at-transfer",
    breaks: "The sender's slot is checked at the instant of transfer, on the endpoint's home core.",
    scenario: "revoke-vs-queued-sender",
    strategy: preemptions(2),
    edits: [{ module: INCOMING, find: CHECK, replace: "" }],
  },
  {
    name: "receiver-only-check",
    breaks:
      "The check is the home's: what travels on to the receiver's core carries no authority and is checked by nobody.",
    scenario: "revoke-vs-transfer-three-cores",
    strategy: byChance(4),
    edits: [
      {
        module: INCOMING,
        find: CHECK,
        replace: `    const first = i32[object + 0 /* Endpoint.QUEUE_HEAD */];\n    if (first !== 0 && i32[first + 81 /* Thread.HOME */] !== k.id)\n        return true;\n${CHECK}`,
      },
    ],
  },
  {
    name: "carry-without-check",
    breaks: "A carried capability is looked up under the lock, at the instant of transfer.",
    scenario: "revoke-vs-transfer",
    strategy: preemptions(2),
    edits: [
      {
        module: "kernel/dist/capability/transfer.js",
        find: "    lockTree(k);\n    const wanted = ",
        replace:
          "    const sources = [];\n    for (let i = 0; i < most; i++)\n        sources.push(findCarried(k, sender, handles[handlesAt + i]));\n    lockTree(k);\n    const wanted = ",
      },
      {
        module: "kernel/dist/capability/transfer.js",
        find: "        const source = findCarried(k, sender, handles[handlesAt + arrived]);\n",
        replace: "        const source = sources[arrived];\n",
      },
    ],
  },
  {
    name: "waiters-not-swept",
    breaks: "Every kill of a slot cancels what waits through it.",
    scenario: "call-vs-endpoint-destruction",
    strategy: preemptions(2),
    edits: [
      {
        module: SLOT,
        find: "        flagSweep(k, object);\n",
        replace: "        void object;\n",
      },
    ],
  },
  {
    name: "move-without-sweep",
    breaks: "Every kill of a slot cancels what waits through it, a move's too.",
    scenario: "move-vs-queued-sender",
    strategy: preemptions(2),
    edits: [
      {
        module: SLOT,
        find: "        flagSweep(k, i32[source + 2 /* Slot.OBJECT */]);\n",
        replace: "        void i32;\n",
      },
    ],
  },
  {
    name: "report-before-sweep",
    breaks: "A core sweeps the queues that were flagged before it reports a grace period.",
    scenario: "grace-vs-sweep",
    strategy: preemptions(2),
    edits: [
      {
        module: SAFE_POINT,
        find: "    const done = sweepQueues(k);\n",
        replace:
          "    if (k.graceOwed !== 0) {\n        passGrace(k, k.graceOwed);\n        k.graceOwed = 0;\n    }\n    const done = sweepQueues(k);\n",
      },
    ],
  },
  {
    name: "rehome-while-flagged",
    breaks: "An endpoint does not move while it stands in its home's list of queues to sweep.",
    scenario: "rehome-vs-two-kills",
    strategy: preemptions(2),
    edits: [
      {
        module: "kernel/dist/smp/home.js",
        find: "    const free = k.i32[object + 8 /* Endpoint.SWEEP_NEXT */] === 0;\n",
        replace: "    const free = true;\n",
      },
    ],
  },
  {
    name: "no-sleep-recheck",
    breaks: "A waiter looks at the bits again after it has said that it waits.",
    scenario: "signal-vs-wait",
    strategy: EXHAUSTIVE,
    edits: [
      {
        module: NOTIFICATION,
        find: "        bits = Atomics.exchange(i32, notification + 1 /* Notification.BITS */, 0);\n        if (bits === 0) {\n",
        replace: "        if (bits === 0) {\n",
      },
    ],
  },
  {
    name: "signal-looks-first",
    breaks: "A signaller sets its bits before it looks whether somebody waits.",
    scenario: "signal-vs-wait",
    strategy: EXHAUSTIVE,
    edits: [
      {
        module: NOTIFICATION,
        find: "    Atomics.or(i32, notification + 1 /* Notification.BITS */, bits);\n    if (Atomics.load(i32, notification + 3 /* Notification.WAITING */) === 0)\n        return;\n",
        replace:
          "    const waiting = Atomics.load(i32, notification + 3 /* Notification.WAITING */);\n    Atomics.or(i32, notification + 1 /* Notification.BITS */, bits);\n    if (waiting === 0)\n        return;\n",
      },
    ],
  },
  {
    name: "wake-without-dequeue",
    breaks: "A thread that is woken is in no queue any more.",
    scenario: "signal-vs-wait",
    strategy: EXHAUSTIVE,
    edits: [
      {
        module: NOTIFICATION,
        find: "        leaveQueue(k, notification, waiter);\n        complete(k, waiter, 0, bits >>> 0);\n",
        replace: "        complete(k, waiter, 0, bits >>> 0);\n",
      },
    ],
  },
  {
    name: "binding-not-killed",
    breaks: "A lasting binding ends with the capability that it was made with.",
    scenario: "binding-vs-revoke",
    strategy: preemptions(2),
    edits: [
      {
        module: "kernel/dist/ipc/sweep.js",
        find: "        if (bound === 0 || (i32[bound + 96 /* Thread.BINDING */] & 3 /* SlotBits.STATE_MASK */) === 2 /* SlotState.LIVE */)\n            return;\n",
        replace: "        if (bound !== 0)\n            return;\n",
      },
    ],
  },
  {
    name: "bind-without-lock",
    breaks:
      "A binding (in a kernel with mappings: a mapping) is recorded under the tree lock, with the check of its capability.",
    scenario: "binding-vs-revoke",
    strategy: preemptions(2),
    edits: [
      {
        module: "kernel/dist/object/thread.js",
        find: "    lockTree(k);\n    let status = 0 /* Err.OK */;\n    if (!slotStillNames(",
        replace: "    let status = 0 /* Err.OK */;\n    if (!slotStillNames(",
      },
      {
        module: "kernel/dist/object/thread.js",
        find: "    const stamp = i32[binding + 14 /* Slot.STAMP */];\n    unlockTree(k);\n",
        replace: "    const stamp = i32[binding + 14 /* Slot.STAMP */];\n",
      },
    ],
  },
  {
    name: "cancel-not-arbitrated",
    breaks: "The home of a queue says which came first, the message or the cancellation.",
    scenario: "cancel-vs-delivery",
    strategy: preemptions(2),
    edits: [
      {
        module: NOTIFICATION,
        find: "        askCancel(k, thread);\n",
        replace:
          "        takeBound(k, thread, k.contexts[i32[thread + 80 /* Thread.NUMBER */]]);\n        wake(k, thread);\n",
      },
    ],
  },
  {
    name: "cancel-later-request",
    breaks:
      "A cancellation is about one request: an answer that left before, or a later request, is not what it means.",
    scenario: "cancel-vs-delivery",
    strategy: preemptions(2),
    edits: [
      {
        module: INCOMING,
        find: "    if (Atomics.load(i32, thread + 5 /* Thread.SEQUENCE */) !== i32[line + 7 /* Line.EXTRA */])\n        return;\n",
        replace: "",
      },
    ],
  },
  {
    name: "cancel-later-call",
    breaks:
      "Whether a reply is owed is looked at before the request's number is compared: after it may be for another call.",
    scenario: "cancel-vs-later-call",
    strategy: preemptions(2),
    edits: [
      {
        module: INCOMING,
        find: "    role !== 5 /* Role.REPLY_OWED */ ||\n",
        replace: "",
      },
    ],
  },
  {
    name: "reply-not-single-use",
    breaks: "A reply answers one call, once.",
    scenario: "reply-twice",
    strategy: EXHAUSTIVE,
    edits: [
      { module: REPLY, find: "    k.i32[server + 2 /* Thread.REPLY_TO */] = 0;\n", replace: "" },
      {
        module: REPLY,
        find: "        if (Atomics.load(i32, caller + 1 /* Thread.CALL_NUMBER */) !== call)\n            return 0;\n        // Others",
        replace: "        // Others",
      },
      {
        module: INCOMING,
        find: "    if (i32[thread + 1 /* Thread.CALL_NUMBER */] !== i32[line + 7 /* Line.EXTRA */])\n        return;\n",
        replace: "",
      },
    ],
  },
  {
    name: "claim-without-swap",
    breaks: "Of a server that replies and a caller that dies one is first, by compare-and-swap.",
    scenario: "reply-vs-caller-death",
    strategy: preemptions(1),
    edits: [
      {
        module: REMOTE,
        find: "    const was = Atomics.compareExchange(k.i32, caller + 17 /* Thread.ROLE */, 5 /* Role.REPLY_OWED */, 6 /* Role.REPLYING */);\n",
        replace:
          "    const was = Atomics.load(k.i32, caller + 17 /* Thread.ROLE */);\n    if (was === 5 /* Role.REPLY_OWED */)\n        Atomics.store(k.i32, caller + 17 /* Thread.ROLE */, 6 /* Role.REPLYING */);\n",
      },
    ],
  },
  {
    name: "home-moves-for-ever",
    breaks:
      "A receiver that was sent elsewhere once is queued where it comes to, and moves no home any more.",
    scenario: "receive-vs-receive",
    // A livelock is 20,000 steps long: the begin is looked at, not every race in it.
    strategy: preemptions(1),
    edits: [
      {
        module: REMOTE,
        find: "const stay = k.restarted ? 2048 /* MessageFlag.STAY */ : 0;",
        replace: "const stay = 0;",
      },
    ],
  },
];
