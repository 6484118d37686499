/** Slots and the derivation tree: copy, mint, move, delete, revoke and retype, against each other. */
import { ObjectType } from "@capos/abi";
import type { Scenario } from "../scenario.js";
import { capabilityScenario } from "./capability-scenario.js";
import { EXHAUSTIVE, preemptions } from "./plans.js";

/** What most of them are explored with: two guests, one or two operations each. */
const TWO = { plan: preemptions(3), quick: preemptions(2) } as const;

export const CAPABILITIES: readonly Scenario[] = [
  capabilityScenario({
    name: "copy-vs-revoke",
    holds: "A copy made of a descendant while its ancestor is revoked is dead when the revoke returns.",
    plan: EXHAUSTIVE,
    quick: preemptions(2),
    guests(machine) {
      const ancestor = machine.endpoint("E");
      const descendant = machine.derive(ancestor);
      const copy = machine.freeSlot();
      return [[{ verb: "revoke", source: ancestor }], [{ verb: "copy", source: descendant, slot: copy }]];
    },
  }),
  capabilityScenario({
    name: "mint-vs-revoke",
    holds:
      "A badge minted of a capability while that is revoked is dead when the revoke returns, or was minted after it.",
    plan: EXHAUSTIVE,
    quick: preemptions(2),
    guests(machine) {
      const ancestor = machine.endpoint("E");
      const minted = machine.freeSlot();
      return [[{ verb: "revoke", source: ancestor }], [{ verb: "mint", source: ancestor, slot: minted }]];
    },
  }),
  capabilityScenario({
    name: "move-vs-revoke",
    holds:
      "A capability that is moved while its ancestor is revoked is dead in both its slots when the revoke returns.",
    ...TWO,
    guests(machine) {
      const ancestor = machine.endpoint("E");
      const descendant = machine.derive(ancestor);
      machine.derive(descendant);
      const moved = machine.freeSlot();
      return [[{ verb: "revoke", source: ancestor }], [{ verb: "move", source: descendant, slot: moved }]];
    },
  }),
  capabilityScenario({
    name: "delete-vs-copy",
    holds: "What was copied of a capability that is deleted meanwhile still is its ancestor's to revoke.",
    ...TWO,
    guests(machine) {
      const ancestor = machine.endpoint("E");
      const deleted = machine.derive(ancestor);
      const copy = machine.freeSlot();
      return [
        [
          { verb: "delete", slot: deleted },
          { verb: "revoke", source: ancestor },
        ],
        [{ verb: "copy", source: deleted, slot: copy }],
      ];
    },
  }),
  capabilityScenario({
    name: "delete-vs-delete",
    holds:
      "Of two deletes of the last two capabilities to an object one ends it, and its memory is free again.",
    ...TWO,
    guests(machine) {
      const first = machine.notification("N");
      const second = machine.derive(first);
      return [[{ verb: "delete", slot: first }], [{ verb: "delete", slot: second }]];
    },
  }),
  capabilityScenario({
    name: "delete-vs-refill",
    holds:
      "A slot that was deleted is filled again after its grace period, and stale handles to it name nothing.",
    ...TWO,
    guests(machine) {
      const ancestor = machine.endpoint("E");
      const slot = machine.derive(ancestor);
      return [
        [
          { verb: "delete", slot },
          { verb: "copy", source: ancestor, slot },
        ],
        [{ verb: "revoke", source: slot }],
      ];
    },
  }),
  capabilityScenario({
    name: "revoke-vs-revoke",
    holds: "Two revokes of one capability both return, with nothing derived from it left.",
    ...TWO,
    guests(machine) {
      const ancestor = machine.endpoint("E");
      machine.derive(machine.derive(ancestor));
      return [[{ verb: "revoke", source: ancestor }], [{ verb: "revoke", source: ancestor }]];
    },
  }),
  capabilityScenario({
    name: "revoke-vs-revoke-nested",
    holds:
      "Of two revokes, one above the other, both return, and the lower one has ended its own or finds itself ended.",
    ...TWO,
    guests(machine) {
      const ancestor = machine.endpoint("E");
      const descendant = machine.derive(ancestor);
      machine.derive(descendant);
      return [[{ verb: "revoke", source: ancestor }], [{ verb: "revoke", source: descendant }]];
    },
  }),
  capabilityScenario({
    name: "revoke-vs-refill",
    holds:
      "A slot that one revoke emptied and another tree has filled is not taken for what it was by a revoke below.",
    attack: "H2",
    ...TWO,
    guests(machine) {
      const stranger = machine.notification("stranger");
      const ancestor = machine.endpoint("E");
      const descendant = machine.derive(ancestor);
      const below = machine.derive(descendant);
      return [
        [
          { verb: "revoke", source: ancestor },
          { verb: "copy", source: stranger, slot: below },
        ],
        [{ verb: "revoke", source: descendant }],
      ];
    },
  }),
  capabilityScenario({
    name: "revoke-vs-retype",
    holds:
      "An object made of memory that is revoked meanwhile is gone when the revoke returns, or was made after it.",
    ...TWO,
    guests(machine) {
      const memory = machine.untyped("memory", 10);
      const inner = machine.make(ObjectType.UNTYPED, "inner memory", 8, memory);
      const made = machine.freeSlot();
      return [[{ verb: "revoke", source: memory }], [{ verb: "retype", source: inner, slot: made }]];
    },
  }),
  capabilityScenario({
    name: "retype-vs-delete",
    holds:
      "Memory that is deleted while objects are made of it keeps those that were made, and makes no others.",
    plan: EXHAUSTIVE,
    quick: EXHAUSTIVE,
    guests(machine) {
      const memory = machine.untyped("memory", 8);
      const made = machine.freeSlot();
      return [[{ verb: "delete", slot: memory }], [{ verb: "retype", source: memory, slot: made }]];
    },
  }),
  capabilityScenario({
    name: "two-watermarks",
    holds:
      "Objects that two cores make of one memory do not overlap, and nobody has a second capability to it.",
    attack: "C7",
    plan: EXHAUSTIVE,
    quick: EXHAUSTIVE,
    guests(machine) {
      const memory = machine.untyped("memory", 8);
      const copy = machine.freeSlot();
      const first = machine.freeSlot();
      const second = machine.freeSlot();
      return [
        [
          { verb: "copy", source: memory, slot: copy },
          { verb: "retype", source: memory, slot: first },
        ],
        [{ verb: "retype", source: memory, slot: second }],
      ];
    },
  }),
];
