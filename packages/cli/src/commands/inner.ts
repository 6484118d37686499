/**
 * A command inside of another: what stands after `--` in `capos-smp top -- bench ipc`.
 *
 * It is parsed as the command line would parse it and runs in this process, in a session of the outer
 * command's making: that is how the outer one has its output and sees its machines.
 */

import { UsageError } from "@capos/machine/errors";
import { Command } from "commander";
import type { Session } from "../session.js";
import { addMachineCommands, configureProgram, MACHINE_COMMANDS } from "./machine-commands.js";

/**
 * Checks that words may be an inner command, before anything is done for it.
 * @param outer the command that runs it, with its own options parsed
 * @throws UsageError if they name no command that boots machines, or if an option stands before the outer command's name
 */
export function checkInner(outer: Command, words: readonly string[]): void {
  const name = outer.name();
  const usage = `as in capos-smp ${name} -- bench ipc`;
  const known = MACHINE_COMMANDS.join(", ");
  if (words.length === 0)
    throw new UsageError(`${name}: after -- it needs a command to run (${known}), ${usage}`);
  if (!MACHINE_COMMANDS.some((command) => command === words[0]))
    throw new UsageError(`${name}: ${words[0]} cannot be run, only ${known} can, ${usage}`);
  if (Object.keys(outer.parent?.opts() ?? {}).length > 0)
    throw new UsageError(
      `${name}: an option stands before ${name}; put those of a command after its name, ${usage} --cores 2`,
    );
}

/**
 * Runs an inner command to its end; answers its exit status.
 * @throws what the command line itself would have to explain: CommanderError, UsageError, MachineError
 */
export async function runInner(words: readonly string[], session: Session): Promise<number> {
  let status = 0;
  const program = configureProgram(new Command("capos-smp"), session);
  addMachineCommands(program, session, (ended) => {
    status = ended;
  });
  await program.parseAsync([...words], { from: "user" });
  return status;
}
