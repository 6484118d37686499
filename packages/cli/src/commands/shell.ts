/** `capos-smp shell`: a shell on a machine that another process runs. */
import { attachShell, chooseMachine } from "@capos/machine";
import type { Session } from "../session.js";
import { placeOf, runShell } from "../shell/run-shell.js";

export interface ShellFlags {
  readonly machine?: string;
  readonly command?: string;
  readonly json?: boolean;
  readonly readOnly?: boolean;
  /** MiB. */
  readonly untyped?: number;
}

const BITS_PER_MIB = 20;

/** Attaches, and does what it is told; answers the exit status. */
export async function shellCommand(flags: ShellFlags, session: Session): Promise<number> {
  const machine = await chooseMachine(flags.machine);
  const options = {
    readOnly: flags.readOnly === true,
    memoryBits: flags.untyped === undefined ? null : Math.log2(flags.untyped) + BITS_PER_MIB,
  };
  return runShell(
    {
      session,
      script: flags.command,
      json: flags.json === true,
      greeting: `a shell on the machine in process ${machine.pid}; help lists its commands\n`,
      open: (events) => attachShell(machine, options, events),
    },
    placeOf(session, flags.command),
  );
}
