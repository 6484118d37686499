/** Mutants of transfers, queues, notifications, replies and cancellations. */
import { byChance, EXHAUSTIVE, preemptions } from "../scenarios/plans.js";
import type { Mutant } from "./mutant.js";

/** What the home checks when a request has come. */
const CHECK =
  "if (slotStillNames(k, i32[line + RequestLine.SLOT], i32[line + RequestLine.GENERATION], object))";

export const MESSAGE_MUTANTS: readonly Mutant[] = [
  {
    name: "no-check-at-transfer",
    breaks: "The sender's slot is checked at the instant of transfer, on the endpoint's home core.",
    scenario: "revoke-vs-queued-sender",
    strategy: preemptions(2),
    edits: [
      {
        function: "isHereAndGood",
        find: CHECK,
        replace: "",
      },
    ],
  },
  {
    name: "receiver-only-check",
    breaks:
      "The check is the home's: what travels on to the receiver's core carries no authority and is checked by nobody.",
    scenario: "revoke-vs-transfer-three-cores",
    strategy: byChance(4),
    edits: [
      {
        function: "isHereAndGood",
        find: CHECK,
        replace: `const first = i32[object + Endpoint.QUEUE_HEAD];
if (first !== 0 && i32[first + Thread.HOME] !== k.id)
  return true;
${CHECK}`,
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
        function: "transferCapabilities",
        find: "const held = lockTree(k);",
        replace: `const sources = [];
for (let i = 0; i < most; i++)
  sources.push(findCarried(k, sender, words[handlesAt + i]));
const held = lockTree(k);`,
      },
      {
        function: "transferCapabilities",
        find: "const source = findCarried(k, sender, words[handlesAt + arrived]);",
        replace: "const source = sources[arrived];",
      },
    ],
  },
  {
    name: "waiters-not-swept",
    breaks: "Every kill of a slot cancels what waits through it.",
    scenario: "call-vs-endpoint-destruction",
    strategy: preemptions(2),
    edits: [{ function: "killSlot", find: "flagSweep(k, object);", replace: ";" }],
  },
  {
    name: "move-without-sweep",
    breaks: "Every kill of a slot cancels what waits through it, a move's too.",
    scenario: "move-vs-queued-sender",
    strategy: preemptions(2),
    edits: [{ function: "moveSlot", find: "flagSweep(k, i32[source + Slot.OBJECT]);", replace: ";" }],
  },
  {
    name: "report-before-sweep",
    breaks: "A core sweeps the queues that were flagged before it reports a grace period.",
    scenario: "grace-vs-sweep",
    strategy: preemptions(2),
    edits: [
      {
        function: "sweepAndPass",
        find: "const done = sweepQueues(k);",
        replace: `if (k.graceOwed !== 0) {
  passGrace(k, k.graceOwed);
  k.graceOwed = 0;
}
const done = sweepQueues(k);`,
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
        function: "moveHome",
        find: "const free = k.i32[object + Endpoint.SWEEP_NEXT] === 0;",
        replace: "const free = true;",
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
        function: "takeOrWait",
        find: `Atomics.store(i32, notification + Notification.WAITING, 1);
return takeBits(k, notification);`,
        replace: "Atomics.store(i32, notification + Notification.WAITING, 1); return 0;",
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
        function: "signal",
        find: `Atomics.or(i32, notification + Notification.BITS, bits);
if (Atomics.load(i32, notification + Notification.WAITING) !== 0)
  nudge(k, notification);`,
        replace: `const waiting = Atomics.load(i32, notification + Notification.WAITING);
Atomics.or(i32, notification + Notification.BITS, bits);
if (waiting !== 0)
  nudge(k, notification);`,
      },
    ],
  },
  {
    name: "waiting-taken-back",
    breaks: "While somebody waits, others see that.",
    scenario: "signal-vs-wait",
    strategy: EXHAUSTIVE,
    edits: [
      {
        function: "attendNotification",
        find: "if (bits !== 0) giveBits(k, notification, waiter, bits);",
        replace: `if (bits !== 0) giveBits(k, notification, waiter, bits);
else Atomics.store(i32, notification + Notification.WAITING, 0);`,
      },
    ],
  },
  {
    name: "others-bits-dropped",
    breaks: "Who is given a signal by its own core has the bits that it took from others with it.",
    scenario: "signal-at-home",
    strategy: EXHAUSTIVE,
    edits: [
      {
        function: "signal",
        find: "giveBits(k, notification, waiter, bits | takeBits(k, notification));",
        replace: "takeBits(k, notification); giveBits(k, notification, waiter, bits);",
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
        function: "giveBits",
        find: "leaveNotification(k, notification, waiter); complete(k, waiter, 0, bits >>> 0);",
        replace: "complete(k, waiter, 0, bits >>> 0);",
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
        function: "finishSweep",
        find: `if (bound === 0 || (i32[bound + Thread.BINDING] & SlotBits.STATE_MASK) === SlotState.LIVE)
  return;`,
        replace: "if (bound !== 0) return;",
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
        function: "bindHere",
        find: "const held = lockTree(k);",
        replace: "const held = k;",
      },
      {
        function: "bindHere",
        find: "const stamp = i32[binding + Slot.STAMP]; unlockTree(held);",
        replace: "const stamp = i32[binding + Slot.STAMP];",
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
        function: "interruptReceive",
        find: "askCancel(k, thread);",
        replace: "takeBound(k, thread, k.contexts[i32[thread + Thread.NUMBER]]); wake(k, thread);",
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
        function: "onCancel",
        find: "if (Atomics.load(i32, thread + Thread.SEQUENCE) !== i32[line + CancelLine.SEQUENCE]) return;",
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
    edits: [{ function: "onCancel", find: "role !== Role.REPLY_OWED ||", replace: "" }],
  },
  {
    name: "reply-not-single-use",
    breaks: "A reply answers one call, once.",
    scenario: "reply-twice",
    strategy: EXHAUSTIVE,
    edits: [
      { function: "takeReply", find: "k.i32[server + Thread.REPLY_TO] = 0;", replace: "" },
      {
        function: "answerWith",
        find: "if (Atomics.load(i32, caller + Thread.CALL_NUMBER) !== call) return 0;",
        replace: "",
      },
      {
        function: "onReply",
        find: "i32[thread + Thread.CALL_NUMBER] !== i32[line + AnswerLine.NUMBER] ||",
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
        function: "claimReply",
        find: "const was = Atomics.compareExchange(k.i32, caller + Thread.ROLE, Role.REPLY_OWED, Role.REPLYING);",
        replace: `const was = Atomics.load(k.i32, caller + Thread.ROLE);
if (was === Role.REPLY_OWED)
  Atomics.store(k.i32, caller + Thread.ROLE, Role.REPLYING);`,
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
        function: "askToWait",
        find: "k.restarted ? MessageFlag.STAY : 0",
        replace: "0",
      },
    ],
  },
  {
    name: "queue-keeps-its-order",
    breaks: "A thread whose priority changes moves in the queue that it waits in, wherever that is at home.",
    scenario: "priority-vs-queueing",
    strategy: preemptions(1),
    edits: [{ function: "requeueHere", find: "requeue(k, object, target);", replace: ";" }],
  },
  {
    name: "requeue-before-the-store",
    breaks: "The home of a queue is asked to look when the new priority is stored.",
    scenario: "priority-vs-queueing",
    strategy: preemptions(1),
    edits: [
      {
        function: "threadPriority",
        find: "if (progressOf(k, thread) === PRIORITY_STORED) return askRequeue(k, thread, context, target);",
        replace: `if (progressOf(k, thread) === 0) {
  i32[thread + Thread.PROGRESS] = 2;
  const asked = askRequeue(k, thread, context, target);
  return asked === Answer.DONE ? Answer.AGAIN : asked;
}
if (progressOf(k, thread) === PRIORITY_STORED) {
  context.result = Err.OK;
  return Answer.DONE;
}`,
      },
    ],
  },
  {
    name: "requeue-at-any-core",
    breaks: "Only the home of a queue moves who waits in it.",
    scenario: "priority-vs-next-wait",
    strategy: preemptions(2),
    edits: [
      {
        function: "requeueHere",
        find: "if (object !== 0 && k.i32[object + Endpoint.HOME] === k.id)",
        replace: "if (object !== 0)",
      },
    ],
  },
  {
    name: "bound-woken-for-nothing",
    breaks:
      "A receive ends by its bound notification when its bits have been taken for it: somebody may poll.",
    scenario: "poll-vs-bound",
    strategy: preemptions(2),
    edits: [
      {
        function: "interruptReceive",
        find: "if (!takeBound(k, thread, contextOf(k, thread))) return;",
        replace: "takeBound(k, thread, contextOf(k, thread));",
      },
    ],
  },
  {
    name: "look-taken-for-a-receiver",
    breaks:
      "That somebody waits for a message is the home's to say: what a sender that does not wait saw is a hint.",
    scenario: "nb-send-vs-receive",
    strategy: preemptions(2),
    edits: [
      {
        function: "onSend",
        find: "if (receiver === 0 && (kind & MessageFlag.NON_BLOCKING) !== 0)",
        replace: "if (false)",
      },
    ],
  },
];
