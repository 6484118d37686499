/**
 * Runs programs beside each other until all have ended.
 *
 * Some of them may be servers, which end never. So those that only wait to be asked, when the others have ended and nobody is
 * left who could ask, are ended too: that is their good end. One that runs alone is not, and where nobody has ended yet,
 * or somebody waits for an answer, the programs are stuck: that is told.
 */
import type { Image } from "@capos/abi";
import type { CaposMachine, Program, RunOptions, RunResult } from "@capos/machine";
import { watchStandstill } from "./standstill-watch.js";

export interface RunnableProgram {
  readonly image: Image;
  /** Differs from those of the others. */
  readonly name: string;
  readonly options: RunOptions;
}

/**
 * Runs them; gives how each ended, in their order. A server that was ended has status 0.
 * @param onStuck told once who waits for what, if they wait for ever
 * @param onEnd told of each as it ends
 * @throws as `CaposMachine.run`, once nothing of them runs
 */
export async function runTogether(
  machine: CaposMachine,
  programs: readonly RunnableProgram[],
  onStuck: (waits: readonly string[]) => void,
  onEnd: (result: RunResult) => void,
): Promise<RunResult[]> {
  const running = new Map<string, Program>();
  /** Servers that were ended because nobody is left to ask them. */
  const served = new Set<string>();
  const endAll = (): void => {
    for (const program of running.values()) void program.kill();
  };
  const ends = programs.map(async ({ image, name, options }) => {
    const program = machine.spawn(image, options);
    running.set(name, program);
    const result = await program.status.finally(() => running.delete(name));
    const ended: RunResult =
      served.has(name) && result.state === "killed" ? { ...result, status: 0, fault: "" } : result;
    onEnd(ended);
    return ended;
  });
  const endWatch = watchStandstill(machine, ({ processes, serves, waits }) => {
    // One that is not among them has not begun.
    if (programs.length > 1 && ![...running.keys()].every((name) => processes.includes(name))) return false;
    if (!serves || running.size === programs.length) {
      onStuck(waits);
      return true;
    }
    for (const name of running.keys()) served.add(name);
    endAll();
    return true;
  });
  try {
    // One that cannot run takes the others along.
    for (const end of ends) end.catch(endAll);
    const settled = await Promise.allSettled(ends);
    for (const end of settled) if (end.status === "rejected") throw end.reason;
    return settled.map((end) => (end as PromiseFulfilledResult<RunResult>).value);
  } finally {
    endWatch();
  }
}
