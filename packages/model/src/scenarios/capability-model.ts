/**
 * What operations on capability slots do when they come one at a time: the sequential specification of the derivation
 * tree, and what of it a machine shows at the end.
 *
 * Revoke takes effect at one instant here, and so it must look to everybody: in chunks it kills at most 256 slots at once.
 */
import { Err, ObjectType, Slot, SlotBits, SlotState } from "@capos/abi";
import type { Specification, Timed } from "@capos/explorer/history";
import type { Machine } from "../machine.js";

/** An operation on slots of one CSpace, named by their index. `source` stands for the handle that it had at the begin. */
export type Change =
  | { readonly verb: "copy" | "mint" | "move"; readonly source: number; readonly slot: number }
  /** An object made of memory. */
  | { readonly verb: "retype"; readonly source: number; readonly slot: number }
  | { readonly verb: "delete"; readonly slot: number }
  | { readonly verb: "revoke"; readonly source: number };

export type Operation = Timed & {
  /** Undefined for the look at all slots when nothing goes on any more. */
  readonly change?: Change;
  /** `Err.OK`, an error, or what is seen of the slots. */
  readonly answer: number | string;
};

/** A slot's tenant: how many it had before, whether it lives, and the slot that it was derived from (0 is none). */
interface Tenant {
  readonly before: number;
  readonly isLive: boolean;
  /** Untyped memory is moved or retyped, never copied. */
  readonly isMemory: boolean;
  readonly parent: number;
}

type Slots = ReadonlyMap<number, Tenant>;

/** The specification for a machine as it stands, of all the slots that its scenario has. */
export function capabilityModel(machine: Machine): Specification<Slots, Operation> {
  const slots = machine.slotIndices();
  const initial = new Map<number, Tenant>(
    slots.map((slot) => [
      slot,
      {
        before: 0,
        isLive: isLive(machine, slot),
        isMemory: isMemory(machine, slot),
        parent: parentOf(machine, slot),
      },
    ]),
  );
  return {
    initial,
    key: (state) =>
      [...state]
        .map(([slot, { before, isLive, parent }]) => `${slot}.${before}${isLive ? `<${parent}` : ""}`)
        .join(),
    step: (state, { change, answer }) =>
      change === undefined
        ? answer === shape(state)
          ? [state]
          : []
        : applied(state, change)
            .filter(({ status }) => status === answer)
            .map(({ after }) => after),
  };
}

/** The slots of a scenario as they stand: which are live, and what each was derived from. */
export function seenShape(machine: Machine): string {
  return machine
    .slotIndices()
    .filter((slot) => isLive(machine, slot))
    .map((slot) => `${slot}<${parentOf(machine, slot)}`)
    .join();
}

function shape(state: Slots): string {
  return [...state]
    .filter(([, { isLive }]) => isLive)
    .map(([slot, { parent }]) => `${slot}<${parent}`)
    .join();
}

interface Step {
  readonly status: number;
  readonly after: Slots;
}

function applied(state: Slots, change: Change): readonly Step[] {
  const refused = (status: Err): Step[] => [{ status, after: state }];
  if (change.verb === "delete") return [{ status: Err.OK, after: without(state, change.slot) }];
  const source = state.get(change.source)!;
  // A handle names the slot's first tenant.
  if (!source.isLive || source.before !== 0) return refused(Err.BAD_CAP);
  if (change.verb === "revoke") return [{ status: Err.OK, after: revoked(state, change.source) }];
  if (source.isMemory && (change.verb === "copy" || change.verb === "mint")) return refused(Err.UNSUPPORTED);
  const destination = state.get(change.slot)!;
  if (destination.isLive) return refused(Err.SLOT_OCCUPIED);
  const after = new Map(state);
  const isMove = change.verb === "move";
  after.set(change.slot, {
    before: destination.before,
    isLive: true,
    isMemory: isMove && source.isMemory,
    parent: isMove ? source.parent : change.source,
  });
  if (isMove) {
    after.set(change.source, dead(source));
    for (const [slot, tenant] of after)
      if (tenant.isLive && tenant.parent === change.source)
        after.set(slot, { ...tenant, parent: change.slot });
  }
  return [{ status: Err.OK, after }];
}

function dead(tenant: Tenant): Tenant {
  return { before: tenant.before + 1, isLive: false, isMemory: false, parent: 0 };
}

/** One is gone; its children stand in its place. */
function without(state: Slots, gone: number): Slots {
  const tenant = state.get(gone)!;
  if (!tenant.isLive) return state;
  const after = new Map(state);
  after.set(gone, dead(tenant));
  for (const [slot, child] of after)
    if (child.isLive && child.parent === gone) after.set(slot, { ...child, parent: tenant.parent });
  return after;
}

function revoked(state: Slots, root: number): Slots {
  let after = state;
  for (const [slot] of state)
    if (slot !== root && isBelow(state, slot, root)) after = new Map(after).set(slot, dead(state.get(slot)!));
  return after;
}

function isBelow(state: Slots, slot: number, root: number): boolean {
  for (let at = state.get(slot); at?.isLive === true && at.parent !== 0; at = state.get(at.parent))
    if (at.parent === root) return true;
  return false;
}

function isLive(machine: Machine, slot: number): boolean {
  return machine.stateOf(slot) === SlotState.LIVE;
}

function isMemory(machine: Machine, slot: number): boolean {
  const type = (machine.i32[machine.slotAt(slot)] & SlotBits.TYPE_MASK) >> SlotBits.TYPE_SHIFT;
  return isLive(machine, slot) && type === ObjectType.UNTYPED;
}

/** The slot of the scenario that another was derived from, 0 if it is none of the scenario's. */
function parentOf(machine: Machine, slot: number): number {
  const { i32 } = machine;
  if (!isLive(machine, slot)) return 0;
  // The first of the circle names the parent.
  let at: number = machine.slotAt(slot);
  for (let looked = 0; i32[at + Slot.PARENT] === 0 && looked < MOST_SIBLINGS; looked++)
    at = i32[at + Slot.NEXT_SIBLING];
  const parent = i32[at + Slot.PARENT];
  return machine.slotIndices().find((index) => machine.slotAt(index) === parent) ?? 0;
}

const MOST_SIBLINGS = 1000;
