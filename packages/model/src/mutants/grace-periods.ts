/** Mutants of the attention word, rings, halting and grace periods. */
import { EXHAUSTIVE, preemptions } from "../scenarios/plans.js";
import type { Mutant } from "./mutant.js";

const ATTENTION = "hal/dist/cpu/attention.js";
const RING = "hal/dist/cpu/ring.js";
const GRACE = "kernel/dist/smp/grace-period.js";
const SAFE_POINT = "kernel/dist/loop/safe-point.js";
const LOOP = "kernel/dist/loop/loop.js";
const REMOTE = "kernel/dist/ipc/remote.js";
const TRAPS = "kernel/dist/loop/traps.js";

export const GRACE_MUTANTS: readonly Mutant[] = [
  {
    name: "notify-before-store",
    breaks: "The line first, then the bell: a core that takes the bit finds the line.",
    scenario: "doorbell-halt",
    strategy: EXHAUSTIVE,
    edits: [
      {
        module: RING,
        find: "        Atomics.store(i32, line, kind | this.lap(position));\n        return raise(this.memory, this.areas + to * 2048 /* CoreArea.WORDS */ + 0 /* CoreArea.ATTENTION */, this.bell);\n",
        replace:
          "        const woke = raise(this.memory, this.areas + to * 2048 /* CoreArea.WORDS */ + 0 /* CoreArea.ATTENTION */, this.bell);\n        Atomics.store(i32, line, kind | this.lap(position));\n        return woke;\n",
      },
    ],
  },
  {
    name: "payload-before-tail",
    breaks: "A line's words are read after the word that says that it was written.",
    scenario: "ring-wrap",
    strategy: preemptions(2),
    edits: [
      {
        module: RING,
        find: "        const line = this.line(from, this.core, position);\n        return (",
        replace:
          "        const line = this.line(from, this.core, position);\n" +
          "        const { i32 } = this;\n" +
          "        const object = i32[line + 1];\n" +
          "        if ((Atomics.load(i32, line) & ~KIND_MASK) === this.lap(position))\n" +
          "            i32[line + 1] = object;\n" +
          "        return (",
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
        module: ATTENTION,
        find: "    if (Atomics.compareExchange(i32, word, 0, 1024 /* Attention.HALTED */) !== 0)\n        return;\n",
        replace: "    Atomics.store(i32, word, 1024 /* Attention.HALTED */);\n",
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
        module: ATTENTION,
        find: "    Atomics.and(i32, word, ~1024 /* Attention.HALTED */);\n",
        replace: "    Atomics.store(i32, word, 0);\n",
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
        module: SAFE_POINT,
        find: "    let bits = Atomics.and(i32, k.attention, ~-64581 /* Attention.TAKEN */);\n",
        replace:
          "    let bits = Atomics.load(i32, k.attention);\n    Atomics.store(i32, k.attention, bits & ~-64581 /* Attention.TAKEN */);\n",
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
        module: ATTENTION,
        find: "    Atomics.notify(memory.i32, word);\n    return true;\n",
        replace: "    return true;\n",
      },
    ],
  },
  {
    name: "want-space-quietly",
    breaks: "Whoever finds a ring full makes its reader look: that may have drained it meanwhile.",
    scenario: "ring-full",
    strategy: EXHAUSTIVE,
    edits: [
      {
        module: REMOTE,
        find: "    ringDoorbell(k, to, 8 /* Attention.POKE */);\n",
        replace: "",
      },
    ],
  },
  {
    name: "separate-halted-flag",
    breaks: "A grace period counts a core as passed only if its word is HALTED, not if HALTED is in it.",
    scenario: "grace-vs-message",
    strategy: EXHAUSTIVE,
    edits: [
      {
        module: GRACE,
        find: "        if (word === 1024 /* Attention.HALTED */) {\n",
        replace: "        if ((word & 1024 /* Attention.HALTED */) !== 0) {\n",
      },
    ],
  },
  {
    name: "pass-for-awake-core",
    breaks: "Nobody but a core itself says that it has passed, unless it is halted.",
    scenario: "use-vs-revoke",
    strategy: preemptions(2),
    edits: [
      {
        module: GRACE,
        find: "        if (word === 1024 /* Attention.HALTED */) {\n",
        replace: "        if (word === 1024 /* Attention.HALTED */ || word === 0) {\n",
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
        module: TRAPS,
        find: 'import { graceIsOver, waitForGrace } from "./grace-period.js";\n',
        replace: 'import { graceIsOver, passGrace, waitForGrace } from "./grace-period.js";\n',
      },
      {
        module: TRAPS,
        find: "                context.result = 0 /* Err.OK */;\n                signal(k, ",
        replace:
          "                context.result = 0 /* Err.OK */;\n                passGrace(k, Atomics.load(k.i32, 80 /* KernelInfo.GRACE_REQUESTED */));\n                signal(k, ",
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
        module: SAFE_POINT,
        find: "    if ((bits & (-65536 /* Attention.RINGS */ | 8 /* Attention.POKE */)) !== 0)\n        drainRings(k, bits);\n",
        replace: "",
      },
      {
        module: SAFE_POINT,
        find: "    if ((bits & (32 /* Attention.POWER */ | 128 /* Attention.NON_MASKABLE */)) !== 0) {\n",
        replace:
          "    drainRings(k, bits);\n    if ((bits & (32 /* Attention.POWER */ | 128 /* Attention.NON_MASKABLE */)) !== 0) {\n",
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
        module: SAFE_POINT,
        find: "        owePass(k);\n        bits |= ",
        replace: "        bits |= ",
      },
      {
        module: SAFE_POINT,
        find: "        drainRings(k, bits);\n",
        replace:
          "        drainRings(k, bits);\n    if ((bits & 1 /* Attention.GRACE */) !== 0)\n        owePass(k);\n",
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
        module: SAFE_POINT,
        find: "        bits |= Atomics.and(i32, k.attention, ~-65536 /* Attention.RINGS */) & -65536 /* Attention.RINGS */;\n",
        replace: "",
      },
    ],
  },
  {
    name: "leave-halt-without-owing",
    breaks: "A core that leaves halt acts as if it had just been asked for every grace period.",
    scenario: "waking-core-vs-slot-reuse",
    strategy: preemptions(2),
    edits: [{ module: LOOP, find: "    owePass(k);\n", replace: "" }],
  },
  {
    name: "await-after-look",
    breaks: "A core says what it waits for before it looks whether that is over.",
    scenario: "slot-reuse",
    strategy: preemptions(2),
    edits: [
      {
        module: GRACE,
        find: "    publishAwaited(k);\n    wakeGraceWaiters(k);\n}",
        replace: "    wakeGraceWaiters(k);\n    publishAwaited(k);\n}",
      },
    ],
  },
];
