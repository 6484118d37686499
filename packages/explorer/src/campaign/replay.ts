/** Replays a saved counter-example in this thread, if asked for under a debugger. */
import type { World } from "../explore/world.js";
import type { Catalogue, Opener } from "./catalogue.js";
import type { CounterExample } from "./counter-example.js";
import { Desk } from "./desk.js";
import { CheckFileError } from "./files.js";
import { fingerprintOf } from "./fingerprint.js";
import { checkReplayFingerprint, type ReplayDocument, readReplayFile } from "./replay-file.js";

export interface ReplayOptions {
  readonly catalogue: Catalogue;
  readonly file: string;
  /** Called when the program is there: a debugger that is attached then stops at the schedule's first step. */
  readonly beforeRun?: (() => void) | undefined;
}

export interface ReplayResult {
  readonly document: ReplayDocument;
  /** What failed now, null if nothing did. */
  readonly counterExample: CounterExample | null;
}

/** @throws CheckFileError for a file that cannot be used: damaged, of other code, of an unknown scenario. */
export async function replayFile({ catalogue, file, beforeRun }: ReplayOptions): Promise<ReplayResult> {
  const document = readReplayFile(file);
  const { scenario, mutant, choices } = document;
  if (!catalogue.scenarios.some(({ name }) => name === scenario))
    throw new CheckFileError(
      `${file} is of a scenario that there is not: ${scenario}; check --list names them`,
    );
  if (mutant !== null && !catalogue.mutants.some(({ name }) => name === mutant))
    throw new CheckFileError(
      `${file} is of a mutant that there is not: ${mutant}; check --mutants names them`,
    );
  const opener = (await import(catalogue.opener)) as Opener;
  const program = await opener.prepareProgram(mutant);
  checkReplayFingerprint(file, document, fingerprintOf(catalogue, mutant, program.fingerprint));
  const desk = new Desk(opener.openScenario(scenario, program));
  if (beforeRun !== undefined) {
    stopAtFirstStep(desk.scenario.world);
    beforeRun();
  }
  const { counterExample, misfit } = desk.replay(choices);
  if (misfit !== null)
    throw new CheckFileError(`${file} is damaged (${misfit}): run the check again to get a new one`);
  return { document, counterExample };
}

/** The next step that a core of the world makes stops in the debugger, one frame above the core's program. */
function stopAtFirstStep(world: World): void {
  const start = world.start;
  let stopped = false;
  world.start = function* (core) {
    const program = start.call(world, core);
    // Up to its first access, where it waits to be chosen.
    let next = program.next();
    while (next.done !== true) {
      yield;
      if (!stopped) {
        stopped = true;
        // biome-ignore lint/suspicious/noDebugger: what --inspect-brk is for; step in to get to the program.
        debugger;
      }
      next = program.next();
    }
    return next.value;
  };
}
