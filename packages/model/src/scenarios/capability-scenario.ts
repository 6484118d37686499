/** Scenarios whose guests only change slots: each is what stands in which slot, and who does what. */
import { Err, InitSlot, ObjectType, Right, type Sys } from "@capos/abi";
import type { Strategy } from "@capos/explorer";
import { checkHistory } from "@capos/explorer/history";
import { cnode, untyped } from "@capos/libos";
import type { Call, Outcome } from "../guest.js";
import type { Machine } from "../machine.js";
import type { Judgement, Scenario } from "../scenario.js";
import { attempt } from "./attempt.js";
import { type Change, capabilityModel, type Operation, seenShape } from "./capability-model.js";

export interface CapabilityScenario {
  readonly name: string;
  readonly holds: string;
  readonly attack?: string;
  readonly plan: Strategy;
  readonly quick: Strategy;
  /** Fills slots; answers what the guest of each core does, in its order. */
  readonly guests: (machine: Machine) => readonly (readonly Change[])[];
}

/** Whatever the order, the answers are those of some order of whole operations, and the slots end as that order leaves them. */
export function capabilityScenario(of: CapabilityScenario): Scenario {
  const { guests, ...info } = of;
  return {
    ...info,
    cores: CORES,
    build(machine) {
      const programs = guests(machine);
      const handles = new Map(machine.slotIndices().map((slot) => [slot, machine.handle(slot)]));
      const changes = new Map<string, Change>();
      programs.forEach((own, core) => {
        const steps = own.map((change, i) => ({ change, name: `${core}.${i + 1}: ${textOf(change)}` }));
        for (const { change, name } of steps) changes.set(name, change);
        machine.guest(
          core,
          function* (sys, { operation }) {
            for (const { change, name } of steps)
              yield* operation(name, perform(sys, machine, handles, change));
          },
          { name: `guest ${core}` },
        );
      });
      const model = capabilityModel(machine);
      return { seen: (outcome) => judge(machine, model, changes, outcome) } satisfies Judgement;
    },
  };
}

const CORES = 2;

function textOf(change: Change): string {
  if (change.verb === "delete") return `delete ${change.slot}`;
  if (change.verb === "revoke") return `revoke ${change.source}`;
  return `${change.verb} ${change.source} to ${change.slot}`;
}

/** The steps of a change; they answer `Err.OK` or the error. */
function* perform(
  sys: Sys,
  machine: Machine,
  handles: ReadonlyMap<number, number>,
  change: Change,
): Generator<number, number, number> {
  const own = machine.handle(InitSlot.CNODE);
  const status = yield* attempt(stepsOf(sys, own, handles, change));
  return typeof status === "number" && status < 0 ? status : Err.OK;
}

function stepsOf(
  sys: Sys,
  own: number,
  handles: ReadonlyMap<number, number>,
  change: Change,
): Generator<number, unknown, number> {
  if (change.verb === "delete") return cnode.delete(sys, own, change.slot);
  const source = handles.get(change.source)!;
  switch (change.verb) {
    case "copy":
      return cnode.copy(sys, own, change.slot, source, Right.ALL);
    case "mint":
      return cnode.mint(sys, own, change.slot, source, Right.ALL, BADGE);
    case "move":
      return cnode.move(sys, own, change.slot, source);
    case "retype":
      return untyped.retype(sys, source, ObjectType.ENDPOINT, 0, 1, own, change.slot);
    case "revoke":
      return cnode.revoke(sys, own, source);
  }
}

const BADGE = 5;

function judge(
  machine: Machine,
  model: ReturnType<typeof capabilityModel>,
  changes: ReadonlyMap<string, Change>,
  { calls, time }: Outcome,
): { kind: "history"; message: string } | null {
  const operations: Operation[] = calls.map(({ name, start, end, result }) => ({
    change: changes.get(name)!,
    answer: result as number,
    start,
    end,
  }));
  operations.push({ answer: seenShape(machine), start: time, end: time });
  const verdict = checkHistory(model, operations);
  if (verdict.outcome === "linearizable") return null;
  return {
    kind: "history",
    message: `no order of whole operations explains ${calls.map(callText).join(", ")} and slots ${seenShape(machine)}`,
  };
}

function callText({ name, start, end, result }: Call): string {
  return `${name} (${start} to ${end}) = ${String(result)}`;
}
