/** `run --shell`: a shell on the machine that a program runs on, in the same terminal. */
import { visibleLines } from "@capos/abi";
import type { CaposMachine, RunResult } from "@capos/machine";
import { ExitStatus, UsageError } from "@capos/machine/errors";
import type { Session } from "../session.js";
import { type Place, placeOf, runShell } from "./run-shell.js";

/** What stands beside a program that runs: it ends the machine when it is done. Answers the exit status. */
export type Beside = (machine: CaposMachine, program: Promise<RunResult>) => Promise<number>;

/**
 * Runs a program with a shell beside it.
 * @param run runs the program, in a session whose text comes above the prompt
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
    return await run(inner, (machine, program) => withShell(machine, program, session, place));
  } finally {
    prompt?.close();
  }
}

async function withShell(
  machine: CaposMachine,
  program: Promise<RunResult>,
  session: Session,
  place: Place,
): Promise<number> {
  let status: number = ExitStatus.OK;
  program.then(
    (result) => {
      status = result.status;
      const said = result.fault === "" ? `exited with status ${result.status}` : result.fault;
      const tell = result.fault === "" && place.prompt === null ? null : place.screen.err;
      tell?.(`the program ended: ${visibleLines(said)}\n`);
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
