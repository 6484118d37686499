/** Mutants of slots, the derivation tree, revocation and the reuse of memory. */
import { byChance, EXHAUSTIVE, preemptions } from "../scenarios/plans.js";
import type { Mutant } from "./mutant.js";

const SLOT = "kernel/dist/capability/slot.js";
const TREE = "kernel/dist/capability/tree.js";
const LOOKUP = "kernel/dist/capability/lookup.js";
const REVOKE = "kernel/dist/object/revoke.js";
const DELETE = "kernel/dist/object/delete.js";
const REAPER = "kernel/dist/object/reaper.js";
const RETYPE = "kernel/dist/object/retype.js";
const METHODS = "kernel/dist/object/cnode.js";

export const CAPABILITY_MUTANTS: readonly Mutant[] = [
  {
    name: "skip-grace-period",
    breaks: "Revoke answers only when every core has passed a safe point since the last kill.",
    scenario: "use-vs-revoke",
    strategy: preemptions(2),
    edits: [
      {
        module: REVOKE,
        find: "        waitForGrace(k, thread, number);",
        replace: "        context.result = 0;",
      },
    ],
  },
  {
    name: "publish-first-word-first",
    breaks: "A slot is published by storing its first word last.",
    scenario: "slot-publish",
    strategy: EXHAUSTIVE,
    edits: [
      {
        module: SLOT,
        find: "    i32[slot + 2 /* Slot.OBJECT */] = object;\n",
        replace: "    Atomics.store(i32, slot, word);\n    i32[slot + 2 /* Slot.OBJECT */] = object;\n",
      },
      {
        module: SLOT,
        find: "    // Last: whoever sees LIVE sees the rest.\n    Atomics.store(i32, slot, word);\n",
        replace: "",
      },
    ],
  },
  {
    name: "reuse-same-generation",
    breaks: "A slot's next tenant has another generation, so that a stale handle never names it.",
    scenario: "slot-reuse",
    strategy: preemptions(2),
    edits: [
      {
        module: SLOT,
        find: "    i32[slot + 1 /* Slot.GENERATION */] = (i32[slot + 1 /* Slot.GENERATION */] + 1) | 0;\n",
        replace: "",
      },
    ],
  },
  {
    name: "reuse-without-grace-period",
    breaks: "A dead slot is filled again only when no core can still be reading it.",
    scenario: "slot-reuse",
    strategy: preemptions(2),
    edits: [
      {
        module: SLOT,
        find: " ||\n        !graceIsOver(k, i32[slot + 14 /* Slot.STAMP */]))\n",
        replace: ")\n",
      },
    ],
  },
  {
    name: "stamp-before-dead",
    breaks:
      "A slot is killed by its first word, and only then stamped with the grace period that is to follow.",
    scenario: "slot-reuse-vs-grace-period",
    // One after the lock is released and before the request, one between stamp and state, one in the lookup.
    strategy: preemptions(3),
    edits: [
      {
        module: SLOT,
        find: "    const word = i32[slot];\n    Atomics.store(i32, slot, deadWord(word));\n",
        replace: "    const word = i32[slot];\n",
      },
      {
        module: SLOT,
        find: "    i32[slot + 14 /* Slot.STAMP */] = nextGrace(k);\n",
        replace:
          "    i32[slot + 14 /* Slot.STAMP */] = nextGrace(k);\n    Atomics.store(i32, slot, deadWord(word));\n",
      },
    ],
  },
  {
    name: "kill-without-dead",
    breaks: "A killed slot is DEAD at once: whoever looks it up afterwards does not find it.",
    scenario: "use-vs-revoke",
    strategy: preemptions(2),
    edits: [
      {
        module: SLOT,
        find: "    const word = i32[slot];\n    Atomics.store(i32, slot, deadWord(word));\n",
        replace: "    const word = i32[slot];\n",
      },
    ],
  },
  {
    name: "keep-lookups",
    breaks: "A core that takes part in a grace period looks up anew what it looked up before.",
    scenario: "slot-reuse",
    strategy: preemptions(2),
    edits: [
      {
        module: "kernel/dist/loop/safe-point.js",
        find: "    raiseEpoch(k);\n",
        replace: "",
      },
    ],
  },
  {
    name: "ignore-generation",
    breaks: "A handle names a slot and its generation.",
    scenario: "slot-reuse",
    strategy: preemptions(2),
    edits: [
      {
        module: LOOKUP,
        find: "    return index * TWO_TO_32 + (i32[slot + 1 /* Slot.GENERATION */] >>> 0) === handle;\n",
        replace: "    return index === Math.floor(handle * TWO_TO_MINUS_32);\n",
      },
    ],
  },
  {
    name: "link-without-lock",
    breaks: "A child is linked into the tree under the tree lock.",
    scenario: "copy-vs-revoke",
    strategy: preemptions(2),
    edits: [
      {
        module: METHODS,
        find: "        beginCommit(k);\n",
        replace: "        unlockTree(k);\n        beginCommit(k);\n",
      },
      {
        module: METHODS,
        find: "        endCommit(k);\n",
        replace: "        endCommit(k);\n        lockTree(k);\n",
      },
    ],
  },
  {
    name: "find-before-lock",
    breaks: "The source of a copy is looked up under the lock under which its child is linked.",
    scenario: "copy-vs-revoke",
    strategy: preemptions(2),
    edits: [
      {
        module: METHODS,
        find: "    lockTree(k);\n    const source = findCarried(k, thread, handle(context, 2));\n",
        replace: "    const source = findCarried(k, thread, handle(context, 2));\n    lockTree(k);\n",
      },
    ],
  },
  {
    name: "revoke-first-level-only",
    breaks: "The children of a killed slot stand in its place, so that revoke reaches every descendant.",
    scenario: "copy-vs-revoke",
    strategy: preemptions(2),
    edits: [
      {
        module: REVOKE,
        find: "            killSlot(k, child);\n",
        replace:
          "            if (i32[child + 10 /* Slot.FIRST_CHILD */] !== 0)\n" +
          "                return 0 /* Left.NONE */;\n" +
          "            killSlot(k, child);\n",
      },
    ],
  },
  {
    name: "forget-children",
    breaks: "A slot that leaves the tree hands its children up.",
    scenario: "delete-vs-copy",
    strategy: preemptions(2),
    edits: [
      {
        module: TREE,
        find: "    if (child === 0)\n        join(i32, previous, next);\n",
        replace: "    if (next !== 0)\n        join(i32, previous, next);\n",
      },
    ],
  },
  {
    name: "delete-without-lock",
    breaks:
      "Of two that delete the last two capabilities to an object one finalises it: they are counted under the lock.",
    scenario: "delete-vs-delete",
    strategy: preemptions(2),
    edits: [
      {
        module: DELETE,
        find: "    lockTree(k);\n    const word = Atomics.load(i32, slot);\n",
        replace: "    const word = Atomics.load(i32, slot);\n",
      },
      {
        module: DELETE,
        find: "    unlockTree(k);\n    if (caller === 0)\n",
        replace: "    lockTree(k);\n    unlockTree(k);\n    if (caller === 0)\n",
      },
    ],
  },
  {
    name: "last-two-finalise",
    breaks: "An object is finalised when its last capability dies, not before.",
    scenario: "delete-vs-delete",
    strategy: preemptions(2),
    edits: [
      {
        module: SLOT,
        find: "    if (anchor !== 0 && --i32[anchor + 3 /* Anchor.REFERENCES */] === 0)\n",
        replace: "    if (anchor !== 0 && --i32[anchor + 3 /* Anchor.REFERENCES */] <= 1)\n",
      },
    ],
  },
  {
    name: "retype-without-recheck",
    breaks: "What was looked up without the lock is looked at again under it.",
    scenario: "revoke-vs-retype",
    strategy: preemptions(2),
    edits: [
      {
        module: RETYPE,
        find: "    if (!isLive(k, untyped) || !isOpenCNode(k, cnodeSlot)) {\n",
        replace: "    if (!isOpenCNode(k, cnodeSlot)) {\n",
      },
    ],
  },
  {
    name: "free-before-unlink",
    breaks: "Memory is free when nothing of the object leads to it: its slots are deleted, its waiters gone.",
    scenario: "queued-sender-vs-cnode-reuse",
    strategy: preemptions(2),
    edits: [
      {
        module: REAPER,
        find: "    if (left !== 0 /* Step.DONE */)\n        return left;\n    const { i32 } = k;\n",
        replace: "    const { i32 } = k;\n",
      },
      { module: REAPER, find: "    const left = empty(k, anchor, type, object);\n", replace: "" },
    ],
  },
  {
    name: "reuse-after-one-grace-period",
    breaks:
      "Memory is used again two grace periods after its last capability died: after one a message may still name it.",
    scenario: "signal-vs-memory-reuse",
    strategy: byChance(3),
    edits: [
      // The reaper has waited for the first.
      {
        module: RETYPE,
        find: "    if (!graceIsOver(k, i32[untyped + 14 /* Slot.STAMP */]))\n        return i32[untyped + 14 /* Slot.STAMP */];\n",
        replace: "",
      },
      {
        module: RETYPE,
        find: "    if (i32[untyped + 15 /* Slot.LINK */] === 0 /* Reset.NONE */) {\n",
        replace: "    if (k.id < 0) {\n",
      },
    ],
  },
  {
    name: "revoke-with-cursor",
    breaks: "A revoke that goes on after a pause begins at its capability again: it remembers no slot.",
    scenario: "revoke-overlapping",
    strategy: EXHAUSTIVE,
    edits: [
      {
        module: REVOKE,
        find: "            killSlot(k, child);\n",
        replace:
          "            i32[k.current + 42 /* Thread.PROGRESS_DETAIL */] = child;\n            killSlot(k, child);\n",
      },
      {
        module: REVOKE,
        find: "    const allowed = slot !== 0 && hasRight(k, slot, 128 /* Right.REVOKE */);\n",
        replace:
          "    const allowed = slot !== 0 && hasRight(k, slot, 128 /* Right.REVOKE */);\n" +
          "    const cursor = i32[thread + 42 /* Thread.PROGRESS_DETAIL */];\n" +
          "    if (k.restarted && cursor !== 0 && (i32[cursor] & 3) === 2 /* SlotState.LIVE */)\n" +
          "        killSlot(k, cursor);\n",
      },
    ],
  },
  {
    name: "copy-untyped",
    breaks: "Untyped memory is moved or retyped, never copied: two watermarks would be two owners.",
    scenario: "two-watermarks",
    strategy: EXHAUSTIVE,
    edits: [
      {
        module: METHODS,
        find: "        return -5 /* Err.UNSUPPORTED */;\n",
        replace: "        return 0 /* Err.OK */;\n",
      },
    ],
  },
  {
    name: "watermark-before-lock",
    breaks:
      "Up to where memory is used is read under the lock under which it is raised: else two cores own the same memory.",
    scenario: "two-watermarks",
    strategy: EXHAUSTIVE,
    edits: [
      {
        module: RETYPE,
        find: "    lockTree(k);\n    // Looked up without the lock: whoever",
        replace:
          "    const used = i32[untyped + 13 /* Slot.WATERMARK */];\n    lockTree(k);\n    // Looked up without the lock: whoever",
      },
      {
        module: RETYPE,
        find: "    let start = Math.ceil(i32[untyped + 13 /* Slot.WATERMARK */] / units) * units;\n",
        replace: "    let start = Math.ceil(used / units) * units;\n",
      },
    ],
  },
];
