#!/usr/bin/env node
import { createRequire } from "node:module";
import process from "node:process";
/**
 * `capos-smp`: the command line. A thin layer over the library: reads arguments, prints, and turns
 * every failure into one line and an exit status.
 */
import { SECTIONS } from "@capos/kernel/host";
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { type BenchFlags, benchCommand } from "./commands/bench.js";
import { type InspectFlags, inspectCommand, processNumber, sectionNames } from "./commands/inspect.js";
import { addMachineOptions } from "./commands/options.js";
import { type RunFlags, runCommand } from "./commands/run.js";
import { type StressFlags, stressCommand } from "./commands/stress.js";
import { ExitStatus, MachineError, UsageError } from "./errors.js";

const { version } = createRequire(import.meta.url)("../package.json") as { version: string };
const abort = new AbortController();
let status: number = ExitStatus.OK;

function secondsUpTo(most: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!(value > 0 && value <= most))
      throw new InvalidArgumentError(`A number above 0, at most ${most}, is needed.`);
    return value;
  };
}

const program = addMachineOptions(new Command("capos-smp"))
  .description(
    "A capability microkernel on a simulated SMP machine. Without a command: boots, runs all benchmarks, halts.",
  )
  .version(version)
  .exitOverride()
  .showHelpAfterError(false)
  .configureOutput({ outputError: (text, write) => write(`capos-smp: ${text.replace(/^error: /, "")}`) })
  .allowExcessArguments(false)
  .enablePositionalOptions()
  .action(async (flags: BenchFlags) => {
    status = await benchCommand([], flags, abort.signal);
  });

addMachineOptions(program.command("bench [suites...]"))
  .description("run benchmark suites (all unless named) and print a table")
  .option("--list", "list the suites and their rows")
  .option("--seconds <s>", "time budget of a row (default: 0.5)", secondsUpTo(60))
  .action(async (names: string[], _flags: BenchFlags, command: Command) => {
    status = await benchCommand(names, command.optsWithGlobals<BenchFlags>(), abort.signal);
  });

addMachineOptions(program.command("run <file> [args...]"))
  .description("boot a machine, run a guest written in TypeScript or JavaScript, exit with its status")
  .option("--core <n>", "the core to start it on (default: one that init does not use)", Number)
  .option("--debug", "give it the Debug capability")
  .passThroughOptions()
  .action(async (file: string, args: string[], _flags: RunFlags, command: Command) => {
    status = await runCommand(file, args, command.optsWithGlobals<RunFlags>(), abort.signal);
  });

program
  .command("inspect")
  .argument("[pid]", "the process that runs the machine (default: the only one that does)", processNumber)
  .description("show a machine that another capos-smp runs: processes, threads, capabilities, queues, memory")
  .option("--json", "print one JSON document instead of text")
  .option("--only <sections>", `some of ${SECTIONS.join(",")}`, sectionNames)
  .action(async (pid: number | undefined, _flags: InspectFlags, command: Command) => {
    status = await inspectCommand(pid, command.optsWithGlobals<InspectFlags>());
  });

addMachineOptions(program.command("stress [scenario]"))
  .description("race revocation against everything on real threads, and judge what happened")
  .option("--list", "list the scenarios")
  .option("--seconds <s>", "time for each scenario (default: 5)", secondsUpTo(86_400))
  .action(async (name: string | undefined, _flags: StressFlags, command: Command) => {
    status = await stressCommand(name, command.optsWithGlobals<StressFlags>(), abort.signal);
  });

/** What went wrong, as one line, and the status that goes with it. */
function explain(error: unknown): { line: string; status: number } {
  if (abort.signal.aborted) return { line: "interrupted", status: ExitStatus.INTERRUPTED };
  if (error instanceof UsageError) return { line: error.message, status: ExitStatus.USAGE };
  if (error instanceof MachineError) return { line: error.message, status: error.status };
  // A bug of ours: here a stack trace is what helps.
  return {
    line: error instanceof Error ? (error.stack ?? error.message) : String(error),
    status: ExitStatus.FAILED,
  };
}

process.once("SIGINT", () => abort.abort());
process.once("SIGTERM", () => abort.abort());
try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) status = error.exitCode === 0 ? ExitStatus.OK : ExitStatus.USAGE;
  else {
    const failure = explain(error);
    process.stderr.write(`capos-smp: ${failure.line}\n`);
    status = failure.status;
  }
}
process.exitCode = status;
