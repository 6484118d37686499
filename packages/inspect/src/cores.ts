/** Cores as they stand. */
import { trapName } from "@capos/abi";
import { Attention, CoreArea, coreArea, RINGS_SHIFT } from "@capos/hal";
import { KernelCore } from "@capos/kernel/layout";
import { snapshotCore } from "./core-snapshot.js";
import type { CoreInfo } from "./state.js";
import type { Survey } from "./survey.js";
import { bitNames, coreCount, isLine, nameOf, readyCount, wordAt } from "./words.js";

const STATES: readonly string[] = Object.freeze([
  "offline",
  "waits for INIT",
  "waits for start-up",
  "online",
  "dying",
  "dead",
  "leaving",
]);
const ABSENT = "absent";

const ATTENTION: Readonly<Record<number, string>> = Object.freeze({
  [Attention.GRACE]: "grace",
  [Attention.INTERRUPT]: "interrupt",
  [Attention.POKE]: "poke",
  [Attention.FLUSH]: "flush",
  [Attention.POWER]: "power",
  [Attention.DOOMED]: "doomed",
  [Attention.NON_MASKABLE]: "non-maskable",
  [Attention.INIT]: "init",
  [Attention.STARTUP]: "start-up",
  [Attention.QUIESCENT]: "quiescent",
  [Attention.HALTED]: "halted",
});

/** The name of a `CoreState`. */
export function coreStateName(state: number): string {
  return state === -1 ? ABSENT : nameOf(STATES, state);
}

/** All cores of the machine, with power or without. */
export function inspectCores(survey: Survey): CoreInfo[] {
  const { memory, tables, threads } = survey;
  const cores: CoreInfo[] = [];
  for (let core = 0; core < coreCount(memory); core++) {
    const area = coreArea(memory, core);
    if (!isLine(memory, area) || !isLine(memory, area + CoreArea.LAPIC)) {
      survey.tree.note(`core ${core}: its area is not in memory`);
      break;
    }
    const snapshot = snapshotCore(memory, core);
    const attention = wordAt(memory, area + CoreArea.ATTENTION);
    const current = wordAt(memory, area + KernelCore.CURRENT_THREAD);
    const awaited = wordAt(memory, area + KernelCore.GRACE_AWAITED);
    const state = wordAt(memory, area + CoreArea.STATE);
    cores.push({
      ...snapshot,
      stateName: coreStateName(state),
      attention: bitNames(ATTENTION, attention),
      ringBits: attention >>> RINGS_SHIFT,
      thread: threads.get(current) ?? null,
      ready: readyCount(memory, tables, core),
      lastTrap: trapName(wordAt(memory, area + KernelCore.LAST_TRAP)),
      inCommit: wordAt(memory, area + KernelCore.COMMIT) === 1,
      graceAwaited: awaited === 0 ? null : awaited,
    });
  }
  return cores;
}
