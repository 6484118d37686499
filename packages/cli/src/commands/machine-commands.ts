/**
 * The commands that boot machines, `bench`, `run`, `up` and `stress`, as the command line knows them. What a command does
 * is loaded when it is to do it: all of it together takes longer than most mistakes take to be told.
 */

import { visibleLines } from "@capos/abi";
import { DEFAULT_THRESHOLD_PERCENT, SAVED_REPETITIONS, SAVED_SECONDS } from "@capos/bench/limits";
import { UsageError } from "@capos/machine/errors";
import { type Command, Option } from "commander";
import type { Session } from "../session.js";
import type { BenchFlags } from "./bench.js";
import { addGuestOptions, addMachineOptions } from "./options.js";
import type { RunFlags } from "./run.js";
import type { StressFlags } from "./stress.js";
import type { UpFlags } from "./up.js";
import { percent, repetitions, secondsUpTo } from "./values.js";

/** Their names. */
export const MACHINE_COMMANDS = ["bench", "run", "up", "stress"] as const;

/** Makes a program tell mistakes by exceptions, and say what they are where the session's errors go. */
export function configureProgram(program: Command, { stdout, stderr }: Session): Command {
  return program
    .exitOverride()
    .showHelpAfterError(false)
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
      outputError: (text, write) => write(`capos-smp: ${visibleLines(text.replace(/^error: /, ""))}`),
    })
    .allowExcessArguments(false)
    .enablePositionalOptions();
}

/** Refuses `--no-check` beside `--check`, which say different things by one flag. */
function refuseBoth(command: Command): void {
  for (const name of ["check", "no-check"])
    command.on(`option:${name}`, () => {
      if (command.getOptionValue("check") === (name !== "check"))
        throw new UsageError(
          `${command.name()}: --check starts nothing, --no-check starts programs unchecked: choose one`,
        );
    });
}

/** Adds the commands to a program. Each runs in the session, and hands its exit status to `end`. */
export function addMachineCommands(program: Command, session: Session, end: (status: number) => void): void {
  addMachineOptions(program.command("bench [names...]"))
    .description(
      "run benchmark suites, or rows of them (all suites but top and trace unless named), and print a table",
    )
    .option("--list", "list the suites and their rows, and what each row measures")
    .option("--seconds <s>", "time budget of a row in one repetition (default: 0.5)", secondsUpTo(60))
    .addOption(
      new Option("--repeat [n]", "measure all rows n times, in turn; without n until Ctrl-C").argParser(
        repetitions,
      ),
    )
    .option(
      "--save <file>",
      `keep the run, of ${SAVED_REPETITIONS} repetitions with ${SAVED_SECONDS} s a row unless told otherwise`,
    )
    .option(
      "--compare <file>",
      "measure what was saved as it was measured, and tell what became slower (status 1)",
    )
    .option(
      "--threshold <percent>",
      `with --compare: slowdowns up to this end with status 0 (default: ${DEFAULT_THRESHOLD_PERCENT})`,
      percent,
    )
    .addOption(
      new Option("--from <file>", "take a saved run instead of measuring").conflicts([
        ...["list", "seconds", "repeat", "save", "cores", "memory", "seed", "watchdog"],
      ]),
    )
    .option("--force", "with --save: overwrite the file")
    .action(async (names: string[], _flags: BenchFlags, command: Command) => {
      const { benchCommand } = await import("./bench.js");
      end(await benchCommand(names, command.optsWithGlobals<BenchFlags>(), session));
    });

  addGuestOptions(addMachineOptions(program.command("run <file> [args...]")))
    .usage("[options] <file> [file...] [--] [args...]")
    .description(
      "boot a machine, run guests written in TypeScript or JavaScript beside each other, exit with the first status that is not 0; the last one gets the arguments",
    )
    .option(
      "--core <n>",
      "the core to start on (default: each on one of its own, that init does not use)",
      Number,
    )
    .option(
      "--timeout <s>",
      "end it after so many seconds, with status 124 (default: never)",
      secondsUpTo(86_400),
    )
    .option("--debug", "give it the Debug capability")
    .option("--shell", "with a shell on the machine, in this terminal (see capos-smp help shell)")
    .passThroughOptions()
    .action(async (file: string, args: string[], _flags: RunFlags, command: Command) => {
      const { runCommand } = await import("./run.js");
      end(await runCommand(file, args, command.optsWithGlobals<RunFlags>(), session));
    });

  const up = program.command("up [system]");
  refuseBoth(up);
  // `--check` before `--no-check`: the flag is neither then until one of them is said.
  addGuestOptions(
    addMachineOptions(up.option("--check", "only look whether the description and its programs are right")),
  )
    .description(
      "boot a machine, start the programs that a file describes (.yaml, .json, or a module, .ts), and supervise them until Ctrl-C or their end",
    )
    .option("--schema", "print the JSON schema of descriptions")
    .action(async (file: string | undefined, _flags: UpFlags, command: Command) => {
      const { upCommand } = await import("./up.js");
      end(await upCommand(file, command.optsWithGlobals<UpFlags>(), session));
    });

  addMachineOptions(program.command("stress [scenarios...]"))
    .description(
      "race revocation against everything on real threads, and judge what happened; all names every scenario",
    )
    .option("--list", "list the scenarios, and what races in each")
    .option("--seconds <s>", "time for each scenario (default: 5)", secondsUpTo(86_400))
    .action(async (names: string[], _flags: StressFlags, command: Command) => {
      const { stressCommand } = await import("./stress.js");
      end(await stressCommand(names, command.optsWithGlobals<StressFlags>(), session));
    });
}
