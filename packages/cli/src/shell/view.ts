/** Programs and capabilities as a shell shows them. */
import { visible } from "@capos/abi";
import type { CSpaceInfo, MachineState } from "@capos/inspect";
import type { ShellView } from "@capos/machine";
import { renderTables, tableLines } from "../inspect/tables.js";

/** A process, as `ps` tells it. */
export interface ProcessLine {
  readonly pid: number;
  readonly name: string;
  readonly cores: readonly number[];
  readonly threads: number;
  /** "runs" if one of its threads does or could, "waits" if none; else how it has ended. */
  readonly state: string;
  /** The number of the process that made it; null for init. */
  readonly madeBy: number | null;
  /** Whether this shell has a capability by which to end it. */
  readonly mayEnd: boolean;
}

/** States of threads that want nothing but a core. */
const ACTIVE: ReadonlySet<string> = new Set(["running", "ready"]);

export function processLines({ state, mayEnd }: ShellView): ProcessLine[] {
  return state.processes.map(({ number, name, life, maker, threads }) => {
    const own = state.threads.filter((thread) => thread.process === number);
    const isActive = own.some((thread) => ACTIVE.has(thread.state));
    return {
      pid: number,
      name,
      cores: [...new Set(own.map(({ core }) => core))].sort((a, b) => a - b),
      threads,
      state: life === "running" ? (isActive ? "runs" : "waits") : life,
      madeBy: maker,
      mayEnd: mayEnd.includes(number),
    };
  });
}

export function renderProcesses(lines: readonly ProcessLine[]): string {
  const rows = lines.map(({ pid, name, cores, threads, state, madeBy, mayEnd }) => [
    ...[
      String(pid),
      visible(name),
      cores.join(","),
      String(threads),
      state,
      madeBy === null ? "" : String(madeBy),
    ],
    mayEnd ? "yes" : "",
  ]);
  const columns = ["pid", "name", "cores", "threads", "state", "made by", "can be stopped"];
  return `${tableLines({ columns, rows }, "").join("\n")}\n`;
}

/** The CSpace of a process; undefined if there is no such process, or it has none. */
export function cspaceOf(state: MachineState, pid: number): CSpaceInfo | undefined {
  return state.cspaces.find(({ processes }) => processes.includes(pid));
}

export function renderCapabilities(cspace: CSpaceInfo): string {
  return renderTables({ cspaces: [cspace] });
}

/** Capabilities as data: what `caps --json` prints. */
export function capabilityLines({ capabilities }: CSpaceInfo) {
  return capabilities.map(({ place, type, designates, object, rights, badge, flags, expiresInNs }) => ({
    ...{ slot: place.index, type, designates, object, rights, badge, flags, expiresInNs },
  }));
}
