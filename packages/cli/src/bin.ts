#!/usr/bin/env node
import { createRequire } from "node:module";
import process from "node:process";
/**
 * `capos-smp`: the command line. A thin layer over the library: reads arguments, prints, and turns
 * every failure into one line and an exit status.
 */
import { SECTIONS } from "@capos/kernel/host";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { STRATEGIES } from "./check/selection.js";
import { type BenchFlags, benchCommand } from "./commands/bench.js";
import { type CheckFlags, checkCommand } from "./commands/check.js";
import { type InspectFlags, inspectCommand, processNumber, sectionNames } from "./commands/inspect.js";
import { addMachineOptions, integer } from "./commands/options.js";
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

const REPLAYS_ONLY = [
  "strategy",
  "preemptions",
  "depth",
  "seed",
  "schedules",
  "seconds",
  "workers",
  "mutant",
];

program
  .command("check [scenarios...]")
  .description("run the kernel's own code under every order of its cores' accesses, within stated bounds")
  .option("--list", "list the scenarios, and what must hold in each")
  .option("--mutants", "list the mutants of the kernel, and the rule that each breaks")
  .option("--mutant <name>", "check a kernel with a rule broken; without a scenario: the one that finds it")
  .addOption(
    new Option("--strategy <name>", "how schedules are chosen (default: as each scenario says)").choices(
      STRATEGIES,
    ),
  )
  .option("--preemptions <n>", "bounded: most preemptions of a schedule (default: 2)", integer(0, 1000))
  .option("--depth <d>", "pct: changes of priority, and one (default: 3)", integer(1, 1000))
  .option("--seed <n>", "pct, random: which schedules (default: 1)", integer(0, 0x7fff_ffff))
  .option("--schedules <n>", "most schedules of a scenario", integer(1, Number.MAX_SAFE_INTEGER))
  .option("--seconds <s>", "most time for a scenario", secondsUpTo(86_400))
  .option("--workers <n>", "threads that explore (default: the hardware threads)", integer(1, 256))
  .addOption(
    new Option("--quick", "explore each scenario as far as there is time for in CI").conflicts([
      ...["strategy", "preemptions", "depth"],
    ]),
  )
  .option("--resume <file>", "go on with what the file says is left, and keep there what is left at the end")
  .addOption(new Option("--save <file>", "where a counter-example goes (default: capos-check-NAME.json)"))
  .addOption(
    new Option("--replay <file>", "run a counter-example's schedule again").conflicts([
      ...REPLAYS_ONLY,
      ...["quick", "resume", "save"],
    ]),
  )
  .option("--inspect-brk [address]", "with --replay: wait for a debugger, and stop at the first step")
  .option("--verbose", "show all accesses of a counter-example, also those that say nothing")
  .option("--json", "print one JSON document instead of text")
  .option("--quiet", "show no progress")
  .action(async (names: string[], _flags: CheckFlags, command: Command) => {
    status = await checkCommand(names, command.optsWithGlobals<CheckFlags>(), abort.signal);
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
