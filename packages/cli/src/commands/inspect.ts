/** `capos-smp inspect`: shows a machine that another process runs. */
import { visibleJson } from "@capos/abi";
import { type MachineState, SECTIONS, type SectionName } from "@capos/inspect";
import { askMachine, chooseMachine } from "@capos/machine";
import { ExitStatus } from "@capos/machine/errors";
import { renderTables } from "../inspect/tables.js";
import type { Session } from "../session.js";

export interface InspectFlags {
  readonly json?: boolean;
  readonly only?: readonly SectionName[];
}

/** Asks and prints; answers the exit status. */
export async function inspectCommand(
  which: string | undefined,
  flags: InspectFlags,
  { stdout }: Session,
): Promise<number> {
  const state = select(await askMachine(await chooseMachine(which)), flags.only);
  stdout.write(flags.json === true ? `${visibleJson(state)}\n` : renderTables(state));
  return ExitStatus.OK;
}

/** The machine in general, and the named sections; all of them unless some are named. */
export function select(state: MachineState, only: readonly SectionName[] | undefined): Partial<MachineState> {
  if (only === undefined) return state;
  const chosen = SECTIONS.filter((name) => only.includes(name)).map((name) => [name, state[name]]);
  return { machine: state.machine, ...Object.fromEntries(chosen) };
}
