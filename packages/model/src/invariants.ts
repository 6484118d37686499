/**
 * What must hold of a scenario's memory: the derivation tree and the counts of capabilities whenever nobody holds
 * the tree lock, and everything that the stress suite judges when nothing can go on.
 */
import { ObjectType, Slot, SlotBits, SlotFlag, SlotState } from "@capos/abi";
import type { WordIndex } from "@capos/hal";
import { checkState } from "@capos/inspect";
import type { SlotRef } from "@capos/kernel/internal";
import { BINDING_KIND, Binding, headerOf, kernelFacts, ObjectHeader } from "@capos/kernel/layout";
import type { Machine } from "./machine.js";
import { nameOf } from "./names.js";
import { cnodesOf } from "./places.js";

/** What is wrong when nothing can go on, by the rule that it breaks; null if nothing is. */
export function restProblem(machine: Machine): string | null {
  const [first] = checkState(machine.memory);
  return first === undefined ? null : `${first.rule}: ${first.details?.join("; ")}`;
}

/** Looks at the slots of one scenario again and again. */
export class TreeCheck {
  private readonly slots: readonly WordIndex[];
  /** Headers of the scenario's objects, and how many capabilities were counted to each. */
  private readonly headers: readonly WordIndex[];
  private readonly places = new Map<WordIndex, number>();
  private readonly counts: Int32Array;

  constructor(private readonly machine: Machine) {
    this.slots = slotsOf(machine);
    const counted = machine.named.filter(({ type }) => headerOf(type, 0) !== 0 || type === ObjectType.CNODE);
    this.headers = counted.map(({ type, at }) => headerOf(type, at));
    this.headers.forEach((header, i) => {
      this.places.set(header, i);
    });
    this.counts = new Int32Array(this.headers.length);
  }

  /** What is wrong while nobody holds the tree lock; null if nothing is. */
  problem(): string | null {
    const { i32 } = this.machine;
    this.counts.fill(0);
    for (const slot of this.slots) {
      const word = i32[slot];
      const state = word & SlotBits.STATE_MASK;
      const problem = state === SlotState.LIVE ? liveProblem(i32, slot) : deadProblem(i32, slot, state);
      if (problem !== null) return `${nameOf(this.machine, slot)}: ${problem}`;
      if (state === SlotState.LIVE) this.count(i32, slot, word);
    }
    for (let i = 0; i < this.headers.length; i++) {
      const header = this.headers[i];
      const said = i32[header + ObjectHeader.REFERENCES];
      // One whose end began may have been made into something else by now.
      if (said !== this.counts[i] && (i32[header] & SlotBits.STATE_MASK) === SlotState.EMPTY)
        return `${nameOf(this.machine, header)}: counts ${said} capabilities, there are ${this.counts[i]}`;
    }
    return null;
  }

  private count(i32: Int32Array, slot: WordIndex, word: number): void {
    const type: ObjectType = (word & SlotBits.TYPE_MASK) >> SlotBits.TYPE_SHIFT;
    const object = i32[slot + Slot.OBJECT];
    // Neither keeps alive what it names: a monitor's target, and a CNode's capability in itself.
    if ((word & SlotFlag.BINDING) !== 0 && i32[slot + BINDING_KIND] === Binding.MONITOR_TARGET) return;
    const words = 2 ** ((word >>> SlotBits.SIZE_SHIFT) & 63) * Slot.WORDS;
    if (type === ObjectType.CNODE && slot > object && slot < object + words) return;
    const place = this.places.get(headerOf(type, object));
    if (place !== undefined) this.counts[place]++;
  }
}

/** A live slot stands in its circle, its first child and its parent know it. */
function liveProblem(i32: Int32Array, slot: WordIndex): string | null {
  const next = i32[slot + Slot.NEXT_SIBLING];
  const previous = i32[slot + Slot.PREVIOUS_SIBLING];
  const parent = i32[slot + Slot.PARENT];
  const child = i32[slot + Slot.FIRST_CHILD];
  if (next === 0 || previous === 0) return "is live, and not in the derivation tree";
  if (i32[next + Slot.PREVIOUS_SIBLING] !== slot || i32[previous + Slot.NEXT_SIBLING] !== slot)
    return "is live, and not in the circle of its siblings";
  if (parent !== 0 && i32[parent + Slot.FIRST_CHILD] !== slot)
    return "names a parent that has another first child";
  if (child !== 0 && i32[child + Slot.PARENT] !== slot) return "has a first child that names another parent";
  return null;
}

function deadProblem(i32: Int32Array, slot: WordIndex, state: SlotState): string | null {
  if (state === SlotState.RESERVED) return "is reserved by nobody";
  const isLinked =
    i32[slot + Slot.NEXT_SIBLING] !== 0 ||
    i32[slot + Slot.PREVIOUS_SIBLING] !== 0 ||
    i32[slot + Slot.PARENT] !== 0 ||
    i32[slot + Slot.FIRST_CHILD] !== 0;
  return isLinked ? "is not live, and in the derivation tree" : null;
}

/** Every slot that a capability of the scenario can be in: of CNodes, and bindings. */
function slotsOf(machine: Machine): SlotRef[] {
  const slots = machine.slotIndices().map((index) => machine.slotAt(index));
  for (const { at, words } of cnodesOf(machine).filter(({ at }) => at !== machine.cspace))
    for (let offset = Slot.WORDS; offset < words; offset += Slot.WORDS) slots.push((at + offset) as SlotRef);
  const init = { at: machine.resources.process, type: ObjectType.PROCESS };
  for (const { at, type } of [init, ...machine.named]) {
    for (const binding of kernelFacts(type).bindings) slots.push((at + binding) as SlotRef);
  }
  return slots;
}
