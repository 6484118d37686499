/** `run --shell`: a shell on the machine that programs run on, in the same terminal. */
import type { CaposMachine, RunResult } from "@capos/machine";
import { ExitStatus, UsageError } from "@capos/machine/errors";
import type { Session } from "../session.js";
import { type Place, placeOf, runShell } from "./run-shell.js";

/** What stands beside programs that run, and is done when the machine is to end. Answers the exit status. */
export type Beside = (machine: CaposMachine, programs: Promise<readonly RunResult[]>) => Promise<number>;

/**
 * Runs programs with a shell beside them.
 * @param run runs the programs, in a session whose text comes above the prompt
 */
export async function runBesideShell(
  { json }: { readonly json?: boolean },
  session: Session,
  run: (session: Session, beside: Beside) => Promise<number>,
): Promise<number> {
  if (json === true) throw new UsageError("--shell: --json is for runs without one");
  const place = placeOf(session, undefined);
  const { prompt } = place;
  const shown = (output: Session["stdout"]): Session["stdout"] =>
    prompt === null
      ? output
      : {
          ...{ isTTY: true, hasColors: output.hasColors === true, columns: output.columns },
          write: (text, done) => {
            prompt.write(text);
            done?.();
          },
        };
  const inner = { ...session, stdin: null, stdout: shown(session.stdout), stderr: shown(session.stderr) };
  try {
    return await run(inner, (machine, programs) => withShell(machine, programs, session, place));
  } finally {
    prompt?.close();
  }
}

async function withShell(
  machine: CaposMachine,
  programs: Promise<readonly RunResult[]>,
  session: Session,
  place: Place,
): Promise<number> {
  let status: number = ExitStatus.OK;
  programs.then(
    (results) => {
      status = results.find((result) => result.status !== 0)?.status ?? ExitStatus.OK;
      const what = results.length === 1 ? "the program has" : "all programs have";
      if (place.prompt !== null) place.screen.out(`${what} ended, status ${status}\n`);
    },
    // Told by whoever ended the machine.
    () => {},
  );
  const failed = await runShell(
    {
      ...{ session, script: undefined, json: false },
      greeting: "a shell on this machine; help lists its commands, exit ends the machine\n",
      open: (events) => machine.openShell({ readOnly: false, memoryBits: null }, events),
    },
    place,
  );
  return failed || status;
}
