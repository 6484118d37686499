/** Mutants of mappings, and of what cores remember of them. */
import { preemptions } from "../scenarios/plans.js";
import type { Mutant } from "./mutant.js";

export const MAPPING_MUTANTS: readonly Mutant[] = [
  {
    name: "pass-without-flush",
    breaks: "A core that takes part in a grace period forgets what was unmapped before that was asked for.",
    scenario: "unmap-vs-store",
    strategy: preemptions(2),
    edits: [{ function: "owePass", find: "flushStale(k);", replace: "" }],
  },
  {
    name: "unmap-without-wait",
    breaks: "An unmapping answers when every core that could have the mapping has flushed.",
    scenario: "unmap-vs-store",
    strategy: preemptions(2),
    edits: [
      {
        function: "frameUnmap",
        find: "return flushed(k, thread, context, stamp);",
        replace: "return flushed(k, thread, context, 0);",
      },
    ],
  },
  {
    name: "walk-before-bit",
    breaks: "A core says that it uses an address space before it walks that.",
    scenario: "unmap-vs-store",
    strategy: preemptions(2),
    edits: [
      {
        function: "Core.enterSpace",
        find: "if ((Atomics.load(i32, cores) & bit) === 0) Atomics.or(i32, cores, bit);",
        replace:
          "if (this.mmu.walks > 0 && (Atomics.load(i32, cores) & bit) === 0) Atomics.or(i32, cores, bit);",
      },
    ],
  },
  {
    name: "bits-before-clear",
    breaks: "Who clears entries looks afterwards which cores have used the address space.",
    scenario: "unmap-vs-store",
    strategy: preemptions(2),
    edits: [
      {
        function: "clearEntries",
        find: "let cleared = 0;",
        replace: "const isShared = isUsedByOthers(k, space); let cleared = 0;",
      },
      { function: "clearEntries", find: "const isShared = isUsedByOthers(k, space);", replace: "" },
    ],
  },
  {
    name: "flush-before-number",
    breaks:
      "A core reads the number of the grace period that it will report before it looks whether it is to flush.",
    scenario: "unmap-vs-delete",
    strategy: preemptions(3),
    edits: [
      {
        function: "owePass",
        find: "k.graceNext = Atomics.load(k.i32, KernelInfo.GRACE_REQUESTED);",
        replace: "flushStale(k); k.graceNext = Atomics.load(k.i32, KernelInfo.GRACE_REQUESTED);",
      },
      { function: "owePass", find: "flushStale(k); if", replace: "if" },
    ],
  },
  {
    name: "count-before-clear",
    breaks:
      "An unmapping is counted after its entries are clear: who flushes for it does not find them again.",
    scenario: "unmap-vs-grace-and-store",
    strategy: preemptions(3),
    edits: [
      { function: "clearEntries", find: "let cleared = 0;", replace: "countUnmapping(k); let cleared = 0;" },
      { function: "stampSpace", find: "countUnmapping(k);", replace: "" },
    ],
  },
  {
    name: "quiet-without-flush",
    breaks:
      "A core that was quiescent, for which nobody has waited, flushes before its guest loads or stores.",
    scenario: "unmap-vs-long-run",
    strategy: preemptions(2),
    edits: [{ function: "endQuiescence", find: "k.mmu.flush();", replace: "" }],
  },
  {
    name: "quiet-with-space",
    breaks: "A core that says that it is quiescent uses no address space until it is that no more.",
    scenario: "unmap-vs-long-run",
    strategy: preemptions(2),
    edits: [{ function: "Core.isWanted", find: "this.mmu.unload();", replace: "" }],
  },
  {
    name: "wake-without-flush",
    breaks: "A core that leaves halt flushes: nobody has waited for it.",
    scenario: "unmap-vs-halt",
    strategy: preemptions(1),
    edits: [
      {
        function: "rest",
        find: "k.mmu.flush(); owePass(k);",
        replace: "raiseEpoch(k); k.graceNext = Atomics.load(k.i32, KernelInfo.GRACE_REQUESTED);",
      },
    ],
  },
  {
    name: "give-way-without-flush",
    breaks: "So does one that had given its hardware thread to others, counted as a halted one.",
    scenario: "unmap-vs-grace",
    strategy: preemptions(2),
    edits: [{ function: "letOthersPass", find: "k.mmu.flush();", replace: "" }],
  },
  {
    name: "unmap-once",
    breaks: "Who unmaps what another is unmapping waits for the same grace period.",
    scenario: "unmap-vs-unmap",
    strategy: preemptions(1),
    edits: [
      {
        function: "clearMapping",
        find: "return pendingStamp(k, slot + Slot.STAMP);",
        replace: "return stamped ? i32[slot + Slot.STAMP] : 0;",
      },
      {
        function: "clearMapping",
        find: "const { i32 } = k;",
        replace: "const { i32 } = k; const stamped = i32[slot + Slot.MAPPED_SPACE] !== 0;",
      },
    ],
  },
  {
    name: "unmap-below-lost-table",
    breaks: "Who unmaps what a table led to that is gone waits until no core is in that.",
    scenario: "unmap-vs-table",
    strategy: preemptions(1),
    edits: [
      {
        function: "clearEntries",
        find: "if (cleared === 0) return i32[space + AddressSpace.STAMP];",
        replace: "if (cleared === 0) return 0;",
      },
    ],
  },
  {
    name: "protect-without-wait",
    breaks: "Who lowers rights is answered when no core has more.",
    scenario: "protect-vs-store",
    strategy: preemptions(2),
    edits: [
      {
        function: "protect",
        find: "return isUsedByOthers(k, space) ? stampSpace(k, space) : 0;",
        replace: "stampSpace(k, space); return 0;",
      },
    ],
  },
  {
    name: "protect-by-store",
    breaks: "Rights are changed by compare-and-swap: a walker marks the entry at the same time.",
    scenario: "protect-vs-store",
    strategy: preemptions(2),
    edits: [
      {
        function: "protect",
        find: "if (wanted !== low && Atomics.compareExchange(i32, entry, low, wanted) !== low) continue;",
        replace: "Atomics.store(i32, entry, wanted);",
      },
    ],
  },
  {
    name: "protect-once",
    breaks: "Who lowers rights that another is lowering waits for the same grace period.",
    scenario: "protect-vs-protect",
    strategy: preemptions(1),
    edits: [
      {
        function: "protect",
        find: "if (!isLess) return pendingStamp(k, space + AddressSpace.STAMP);",
        replace: "if (!isLess) return 0;",
      },
    ],
  },
  {
    name: "walk-without-look",
    breaks: "A walker that finds an entry changed while it marks it begins anew.",
    scenario: "protect-vs-store",
    strategy: preemptions(2),
    edits: [
      {
        function: "Mmu.walkOnce",
        find: "Atomics.compareExchange(i32, entry, low, used) !== low",
        replace: "(Atomics.store(i32, entry, used), false)",
      },
    ],
  },
  {
    name: "sample-without-wait",
    breaks: "Marks that were cleared are news when every core has flushed.",
    scenario: "sample-vs-store",
    strategy: preemptions(2),
    edits: [{ function: "addressSpaceSample", find: "if (stamp !== 0) {", replace: "if (false) {" }],
  },
  {
    name: "sample-what-is-marked",
    breaks: "Who finds no marks waits all the same: another may have cleared them a moment before.",
    scenario: "sample-vs-sample",
    strategy: preemptions(1),
    edits: [
      {
        function: "addressSpaceSample",
        find: "cleared = true;",
        replace: "cleared = cleared || (marks & (PageEntry.ACCESSED | PageEntry.DIRTY)) !== 0;",
      },
    ],
  },
  {
    name: "remap-without-wait",
    breaks: "A frame is mapped again when no core uses its mapping before.",
    scenario: "move-vs-store",
    strategy: preemptions(1),
    edits: [
      { function: "map", find: "if (awaits !== 0) return settledAs(k, Err.OK, 0, awaits);", replace: "" },
    ],
  },
  {
    name: "move-with-mapping",
    breaks: "What the sender has mapped of a frame that it moves ends in the same hold of the lock.",
    scenario: "move-vs-store",
    strategy: preemptions(1),
    edits: [
      {
        function: "transferCapabilities",
        find: "if (isMapped(type)) clearMapping(held, source, word);",
        replace: "",
      },
    ],
  },
  {
    name: "fill-without-wait",
    breaks: "An entry that was cleared is filled when no core has what was there before.",
    scenario: "refill-vs-store",
    strategy: preemptions(2),
    edits: [{ function: "whyNotEmpty", find: "if (!graceIsOver(k, stamp)) return stamp;", replace: "" }],
  },
  {
    name: "leave-space-uncounted",
    breaks:
      "The end of a process's hold of its address space is counted: cores flush, and look anew whose addresses these are.",
    scenario: "space-vs-store",
    strategy: preemptions(2),
    edits: [{ function: "loseBinding", find: "countUnmapping(k);", replace: "k.killed = true;" }],
  },
  {
    name: "unmap-in-lost-space",
    breaks: "Who unmaps what was in an address space that is gone waits until no core is in that.",
    scenario: "unmap-vs-space-end",
    strategy: preemptions(1),
    edits: [
      {
        function: "clearEntries",
        find: "if (space === 0) return lostStamp(k, slot);",
        replace: "if (space === 0) return 0;",
      },
    ],
  },
  {
    name: "identifier-without-wait",
    breaks:
      "An address space has another's identifier only when every core has flushed since that one's end.",
    scenario: "identifier-reuse",
    strategy: preemptions(2),
    edits: [
      {
        function: "takeIdentifier",
        find: "if (stamp !== 0 && !graceIsOver(k, stamp)) { coming = stamp; continue; }",
        replace: "",
      },
    ],
  },
  {
    name: "kill-with-mapping",
    breaks: "Whatever kills a capability ends its mapping.",
    scenario: "map-vs-revoke",
    strategy: preemptions(2),
    edits: [
      {
        function: "killSlot",
        find: "if (isMapped(type) && i32[slot + Slot.MAPPED_SPACE] !== 0) clearMapping(k, slot, word);",
        replace: "",
      },
    ],
  },
];
