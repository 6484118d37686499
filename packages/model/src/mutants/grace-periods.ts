/** Mutants of the attention word, rings, halting and grace periods. */
import { EXHAUSTIVE, preemptions } from "../scenarios/plans.js";
import type { Mutant } from "./mutant.js";

export const GRACE_MUTANTS: readonly Mutant[] = [
  {
    name: "notify-before-store",
    breaks: "The line first, then the bell: a core that takes the bit finds the line.",
    scenario: "doorbell-halt",
    strategy: EXHAUSTIVE,
    edits: [
      {
        function: "RingPort.publish",
        find: "Atomics.store(i32, line, kind | this.lap(position));",
        replace: "",
      },
      {
        function: "RingPort.publish",
        find: "return raise(this.memory, area + CoreArea.ATTENTION, this.bell) ? Bell.WOKE : Bell.RUNG;",
        replace: `const bell = raise(this.memory, area + CoreArea.ATTENTION, this.bell) ? Bell.WOKE : Bell.RUNG;
Atomics.store(i32, line, kind | this.lap(position));
return bell;`,
      },
    ],
  },
  {
    name: "watched-before-store",
    breaks: "The line first, then the look whether it needs a bell.",
    scenario: "watched-vs-halt",
    strategy: EXHAUSTIVE,
    edits: [
      {
        function: "RingPort.publish",
        find: "Atomics.store(i32, line, kind | this.lap(position));",
        replace: `const watched = Atomics.load(i32, this.areas + to * CoreArea.WORDS + CoreArea.WATCHED);
Atomics.store(i32, line, kind | this.lap(position));`,
      },
      {
        function: "RingPort.publish",
        find: "Atomics.load(i32, area + CoreArea.WATCHED) === this.me",
        replace: "watched === this.me",
      },
    ],
  },
  {
    name: "stop-watching-without-look",
    breaks: "A core that watches its ring no more looks at it once more.",
    scenario: "watched-vs-halt",
    strategy: EXHAUSTIVE,
    edits: [
      {
        function: "Core.stopWatching",
        find: "if (this.ring.peek(this.watched) !== 0) this.ring.keepPending(this.watched);",
        replace: "",
      },
    ],
  },
  {
    name: "look-before-stop-watching",
    breaks: "It looks once more after it has said that it does not watch.",
    scenario: "watched-vs-halt",
    strategy: EXHAUSTIVE,
    edits: [
      { function: "Core.stopWatching", find: "this.ring.watch(-1);", replace: "" },
      {
        function: "Core.stopWatching",
        find: "this.watched = -1;",
        replace: "this.ring.watch(-1); this.watched = -1;",
      },
    ],
  },
  {
    name: "halt-watching",
    breaks: "A core that halts watches no ring.",
    scenario: "watched-vs-halt",
    strategy: EXHAUSTIVE,
    edits: [{ function: "rest", find: "k.stopWatching();", replace: "" }],
  },
  {
    name: "quiescent-watching",
    breaks: "A core that says that it is quiescent watches no ring.",
    scenario: "watched-vs-grace",
    strategy: preemptions(2),
    edits: [{ function: "Core.isWanted", find: "this.stopWatching();", replace: "" }],
  },
  {
    name: "give-way-watching",
    breaks: "A core that gives its hardware thread to others, counted as a halted one, watches no ring.",
    scenario: "watched-vs-later-grace",
    strategy: preemptions(2),
    edits: [{ function: "letOthersPass", find: "k.stopWatching();", replace: "" }],
  },
  {
    name: "grace-without-watched",
    breaks: "A core that takes part in a grace period reads the ring that it watches, which has no bell.",
    scenario: "watched-vs-grace",
    strategy: preemptions(2),
    edits: [{ function: "drainRings", find: "if (k.watched >= 0) drainWatched(k);", replace: "" }],
  },
  {
    name: "change-without-look",
    breaks: "A core that begins to watch another ring looks at the one before once more.",
    scenario: "watched-vs-change",
    strategy: preemptions(2),
    edits: [{ function: "drainRung", find: "if (before >= 0) drain(k, before);", replace: "" }],
  },
  {
    name: "payload-before-tail",
    breaks: "A line's words are read after the word that says that it was written.",
    scenario: "ring-wrap",
    strategy: preemptions(2),
    edits: [
      {
        function: "RingPort.peek",
        find: "return (Atomics.load(",
        replace: `const { i32 } = this;
const object = i32[line + 1];
if ((Atomics.load(i32, line) & ~KIND_MASK) === this.lap(position))
  i32[line + 1] = object;
return (Atomics.load(`,
      },
    ],
  },
  {
    name: "halt-without-look",
    breaks: "A core halts by compare-and-swap from 0: a bit that came before keeps it awake.",
    scenario: "doorbell-halt",
    strategy: EXHAUSTIVE,
    edits: [
      {
        function: "halt",
        find: "if (!standAside(i32, word, Attention.HALTED)) return;",
        replace: "Atomics.store(i32, word, Attention.HALTED);",
      },
    ],
  },
  {
    name: "drop-pending-bit",
    breaks: "A core that wakes takes HALTED out of its word and nothing else.",
    scenario: "doorbell-halt",
    strategy: EXHAUSTIVE,
    edits: [
      {
        function: "halt",
        find: "Atomics.and(i32, word, ~Attention.HALTED);",
        replace: "Atomics.store(i32, word, 0);",
      },
    ],
  },
  {
    name: "take-bits-in-two-steps",
    breaks: "A safe point takes its bits by one atomic operation: none that comes meanwhile is lost.",
    scenario: "grace-two-at-once",
    strategy: preemptions(2),
    edits: [
      {
        function: "attend",
        find: "let bits = Atomics.and(i32, k.attention, ~Attention.TAKEN);",
        replace: `let bits = Atomics.load(i32, k.attention);
Atomics.store(i32, k.attention, bits & ~Attention.TAKEN);`,
      },
    ],
  },
  {
    name: "raise-without-notify",
    breaks: "Whoever sets a bit in the word of a halted core wakes it.",
    scenario: "doorbell-halt",
    strategy: EXHAUSTIVE,
    edits: [
      {
        function: "raise",
        find: "Atomics.notify(memory.i32, word);",
        replace: "",
      },
    ],
  },
  {
    name: "want-space-quietly",
    breaks: "Whoever finds a ring full makes its reader look: that may have drained it meanwhile.",
    scenario: "ring-full",
    strategy: EXHAUSTIVE,
    edits: [{ function: "wantSpace", find: "ringDoorbell(k, to, Attention.POKE);", replace: "" }],
  },
  {
    name: "separate-halted-flag",
    breaks: "A grace period counts a core as passed only if its word is HALTED, not if HALTED is in it.",
    scenario: "grace-vs-message",
    strategy: EXHAUSTIVE,
    edits: [
      {
        function: "askCore",
        find: "word === Attention.HALTED",
        replace: "(word & Attention.HALTED) !== 0",
      },
    ],
  },
  {
    name: "separate-quiescent-flag",
    breaks:
      "A grace period counts a core as passed only if its word is QUIESCENT, not if QUIESCENT is in it.",
    scenario: "grace-long-run",
    strategy: preemptions(2),
    edits: [
      {
        function: "askCore",
        find: "word === Attention.QUIESCENT",
        replace: "(word & Attention.QUIESCENT) !== 0",
      },
    ],
  },
  {
    name: "quiesce-without-look",
    breaks: "A core is quiescent by compare-and-swap from 0: a bit that came before is not lost.",
    scenario: "grace-long-run",
    strategy: preemptions(2),
    edits: [
      {
        function: "Core.isWanted",
        find: "if (!standAside(i32, attention, Attention.QUIESCENT)) return true;",
        replace: "Atomics.store(i32, attention, Attention.QUIESCENT);",
      },
    ],
  },
  {
    name: "quiescent-in-kernel",
    breaks: "A core whose guest lets go after a long run is quiescent no more before it does anything else.",
    scenario: "use-after-long-run-vs-revoke",
    strategy: preemptions(2),
    edits: [
      { function: "run", find: "endLongRun(k);", replace: "" },
      {
        function: "run",
        find: "if (dispatch(k, thread, context) === Answer.AGAIN) startAgain(k, thread);",
        replace:
          "if (dispatch(k, thread, context) === Answer.AGAIN) startAgain(k, thread); if (k.ranLong) endLongRun(k);",
      },
    ],
  },
  {
    name: "remember-over-long-run",
    breaks: "What a core looked up before a long run it looks up anew after it.",
    scenario: "long-run-vs-slot-reuse",
    strategy: preemptions(2),
    edits: [{ function: "endQuiescence", find: "raiseEpoch(k);", replace: "" }],
  },
  {
    name: "pass-for-awake-core",
    breaks: "Nobody but a core itself says that it has passed, unless it is halted.",
    scenario: "use-vs-revoke",
    strategy: preemptions(2),
    edits: [
      {
        function: "askCore",
        find: "word === Attention.HALTED",
        replace: "word === Attention.HALTED || word === 0",
      },
    ],
  },
  {
    name: "ack-while-holding",
    breaks: "A core reports a grace period at its safe point, where it holds no reference.",
    scenario: "use-vs-revoke",
    strategy: preemptions(2),
    edits: [
      {
        function: "notify",
        find: "signal(k,",
        replace: "passGrace(k, Atomics.load(k.i32, KernelInfo.GRACE_REQUESTED)); signal(k,",
      },
    ],
  },
  {
    name: "report-before-drain",
    breaks: "A core drains its rings before it reports a grace period.",
    scenario: "grace-vs-message",
    strategy: EXHAUSTIVE,
    edits: [
      {
        function: "attend",
        find: "if ((bits & (Attention.RINGS | Attention.POKE | Attention.GRACE)) !== 0) drainRings(k, bits);",
        replace: "",
      },
      {
        function: "attend",
        find: "if ((bits & (Attention.POWER",
        replace: "drainRings(k, bits); if ((bits & (Attention.POWER",
      },
    ],
  },
  {
    name: "number-after-drain",
    breaks: "The number of the grace period is read before the rings are drained.",
    scenario: "grace-vs-later-message",
    strategy: preemptions(3),
    edits: [
      {
        function: "attend",
        find: "owePass(k);",
        replace: "",
      },
      {
        function: "attend",
        find: "drainRings(k, bits);",
        replace: "drainRings(k, bits); if ((bits & Attention.GRACE) !== 0) owePass(k);",
      },
    ],
  },
  {
    name: "bells-before-number",
    breaks:
      "The bells are taken after the number of the grace period was read: what was sent before it was asked for is drained.",
    scenario: "grace-vs-later-message",
    strategy: preemptions(3),
    edits: [
      {
        function: "attend",
        find: "bits |= Atomics.and(i32, k.attention, ~Attention.RINGS) & Attention.RINGS;",
        replace: "",
      },
    ],
  },
  {
    name: "leave-halt-without-owing",
    breaks: "A core that leaves halt acts as if it had just been asked for every grace period.",
    scenario: "waking-core-vs-slot-reuse",
    strategy: preemptions(2),
    edits: [{ function: "rest", find: "owePass(k);", replace: "" }],
  },
  {
    name: "await-after-look",
    breaks: "A core says what it waits for before it looks whether that is over.",
    scenario: "slot-reuse",
    strategy: preemptions(2),
    edits: [
      {
        function: "waitForGrace",
        find: "publishAwaited(k); wakeGraceWaiters(k);",
        replace: "wakeGraceWaiters(k); publishAwaited(k);",
      },
    ],
  },
];
