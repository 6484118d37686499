/** Mutants of slots, the derivation tree, revocation and the reuse of memory. */
import { byChance, EXHAUSTIVE, preemptions } from "../scenarios/plans.js";
import type { Mutant } from "./mutant.js";

export const CAPABILITY_MUTANTS: readonly Mutant[] = [
  {
    name: "skip-grace-period",
    breaks: "Revoke answers only when every core has passed a safe point since the last kill.",
    scenario: "use-vs-revoke",
    strategy: preemptions(2),
    edits: [{ function: "revoke", find: "waitForGrace(k, thread, number);", replace: "context.result = 0;" }],
  },
  {
    name: "publish-first-word-first",
    breaks: "A slot is published by storing its first word last.",
    scenario: "slot-publish",
    strategy: EXHAUSTIVE,
    edits: [
      {
        function: "fillSlot",
        find: "i32[slot + Slot.OBJECT] = object;",
        replace: "Atomics.store(i32, slot, word); i32[slot + Slot.OBJECT] = object;",
      },
      { function: "fillSlot", find: "Atomics.store(i32, slot, word);", replace: "" },
    ],
  },
  {
    name: "reuse-same-generation",
    breaks: "A slot's next tenant has another generation, so that a stale handle never names it.",
    scenario: "slot-reuse",
    strategy: preemptions(2),
    edits: [
      {
        function: "reclaimSlot",
        find: "i32[slot + Slot.GENERATION] = (i32[slot + Slot.GENERATION] + 1) | 0;",
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
        function: "reclaimSlot",
        find: "|| !graceIsOver(k, i32[slot + Slot.STAMP])",
        replace: "",
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
        function: "killSlot",
        find: "Atomics.store(i32, slot, deadWord(word));",
        replace: "",
      },
      {
        function: "killSlot",
        find: "i32[slot + Slot.STAMP] = nextGrace(k);",
        replace: "i32[slot + Slot.STAMP] = nextGrace(k); Atomics.store(i32, slot, deadWord(word));",
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
        function: "killSlot",
        find: "Atomics.store(i32, slot, deadWord(word));",
        replace: "",
      },
    ],
  },
  {
    name: "keep-lookups",
    breaks: "A core that takes part in a grace period looks up anew what it looked up before.",
    scenario: "slot-reuse",
    strategy: preemptions(2),
    edits: [{ function: "owePass", find: "raiseEpoch(k);", replace: "" }],
  },
  {
    name: "ignore-generation",
    breaks: "A handle names a slot and its generation.",
    scenario: "slot-reuse",
    strategy: preemptions(2),
    edits: [
      {
        function: "isHandle",
        find: "return index * TWO_TO_32 + (i32[slot + Slot.GENERATION] >>> 0) === handle;",
        replace: "return index === Math.floor(handle * TWO_TO_MINUS_32);",
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
        function: "commitFill",
        find: "beginCommit(k);",
        replace: "unlockTree(k); beginCommit(k);",
      },
      {
        function: "commitFill",
        find: "endCommit(k);",
        replace: "endCommit(k); lockTree(k);",
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
        function: "fill",
        find: "const held = lockTree(k); const source = findCarried(k, thread, operands.source);",
        replace: "const source = findCarried(k, thread, operands.source); const held = lockTree(k);",
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
        function: "killDescendants",
        find: "killSlot(k, child);",
        replace: "if (i32[child + Slot.FIRST_CHILD] !== 0) return Left.NONE; killSlot(k, child);",
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
        function: "unlink",
        find: "if (child === 0) join(",
        replace: "if (next !== 0) join(",
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
        function: "deleteCapability",
        find: "const held = lockTree(k);",
        replace: "const held = k;",
      },
      {
        function: "deleteCapability",
        find: "unlockTree(held); if (caller === 0)",
        replace: "lockTree(k); unlockTree(k); if (caller === 0)",
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
        function: "killSlot",
        find: "--i32[header + ObjectHeader.REFERENCES] === 0",
        replace: "--i32[header + ObjectHeader.REFERENCES] <= 1",
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
        function: "retype",
        find: "!isLive(k, untyped) ||",
        replace: "",
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
        function: "finalise",
        find: "if (left !== Step.DONE) return left;",
        replace: "",
      },
      { function: "finalise", find: "const left = empty(k, header, type, object);", replace: "" },
    ],
  },
  {
    name: "reuse-after-one-grace-period",
    breaks:
      "Memory is used again two grace periods after its last capability died: after one a message may still name it.",
    scenario: "signal-vs-memory-reuse",
    strategy: byChance(3, 2),
    edits: [
      // The reaper has waited for the first.
      {
        function: "resetSome",
        find: "if (!graceIsOver(k, i32[untyped + Slot.STAMP])) return i32[untyped + Slot.STAMP];",
        replace: "",
      },
      {
        function: "resetSome",
        find: "i32[untyped + Slot.LINK] === Reset.NONE",
        replace: "k.id < 0",
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
        function: "killDescendants",
        find: "killSlot(k, child);",
        replace: "i32[k.current + Thread.PROGRESS_DETAIL] = child; killSlot(k, child);",
      },
      {
        function: "revoke",
        find: "const left = allowed ?",
        replace: `const cursor = i32[thread + Thread.PROGRESS_DETAIL];
if (k.restarted && cursor !== 0 && (i32[cursor] & SlotBits.STATE_MASK) === SlotState.LIVE)
  killSlot(k, cursor);
const left = allowed ?`,
      },
    ],
  },
  {
    name: "copy-untyped",
    breaks: "Untyped memory is moved or retyped, never copied: two watermarks would be two owners.",
    scenario: "two-watermarks",
    strategy: EXHAUSTIVE,
    edits: [{ function: "objection", find: "return Err.UNSUPPORTED;", replace: "return Err.OK;" }],
  },
  {
    name: "watermark-before-lock",
    breaks:
      "Up to where memory is used is read under the lock under which it is raised: else two cores own the same memory.",
    scenario: "two-watermarks",
    strategy: EXHAUSTIVE,
    edits: [
      {
        function: "retype",
        find: "const held = lockTree(k);",
        replace: "const used = i32[untyped + Slot.WATERMARK]; const held = lockTree(k);",
      },
      {
        function: "retype",
        find: "Math.ceil(i32[untyped + Slot.WATERMARK] / units)",
        replace: "Math.ceil(used / units)",
      },
    ],
  },
];
