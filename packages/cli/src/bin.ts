#!/usr/bin/env node
import { existsSync } from "node:fs";
import process from "node:process";
import { visibleLines } from "@capos/abi";
/**
 * `capos-smp`: the command line. A thin layer over the library: reads arguments, prints, and turns
 * every failure into one line and an exit status. Commands are loaded when they are run: see machine-commands.ts.
 */
import { LOOK_SECONDS, MAX_REPETITIONS, SAVED_REPETITIONS, SAVED_SECONDS } from "@capos/bench/limits";
import { SECTIONS } from "@capos/inspect/state";
import { ExitStatus, MachineError, UsageError } from "@capos/machine/errors";
import { Command, CommanderError, Option } from "commander";
import { STRATEGIES } from "./check/selection.js";
import type { BenchFlags } from "./commands/bench.js";
import type { CheckFlags } from "./commands/check.js";
import type { GraphFlags } from "./commands/graph.js";
import type { InspectFlags } from "./commands/inspect.js";
import { addMachineCommands, configureProgram } from "./commands/machine-commands.js";
import type { NewFlags } from "./commands/new.js";
import { addMachineOptions } from "./commands/options.js";
import type { ReportFlags } from "./commands/report.js";
import type { ShellFlags } from "./commands/shell.js";
import type { TopFlags } from "./commands/top.js";
import type { TraceFlags } from "./commands/trace.js";
import {
  integer,
  intervalSeconds,
  machineName,
  milliseconds,
  powerOfTwo,
  secondsUpTo,
  sectionNames,
  traceSize,
} from "./commands/values.js";
import { terminalProgress } from "./progress.js";
import type { Session } from "./session.js";
import { StandardInput } from "./standard-input.js";
import { StandardOutput } from "./standard-output.js";
import { SORT_KEYS } from "./top/sort-keys.js";
import { unknownName } from "./unknown-name.js";
import { VERSION } from "./version.js";

/** Why a command was told to end: what to say of it, if anything, and the status that goes with it. */
interface Ending {
  readonly line: string | null;
  readonly status: number;
}

const abort = new AbortController();
const unread = new AbortController();
let ending: Ending | null = null;
let status: number = ExitStatus.OK;

/** Has the command end. The first reason stays. */
function endWith(why: Ending): void {
  ending ??= why;
  process.exitCode = ending.status;
  abort.abort();
}

function failing(what: string): (error: Error) => void {
  return (error) => {
    const reason = error.message.replace(/^[A-Z0-9]+: /, "").replace(/, [a-z]+$/, "");
    endWith({ line: `${what}: ${reason}`, status: ExitStatus.FAILED });
  };
}

const stderr = new StandardOutput(process.stderr, {
  // There is no better place to say so.
  ...{ onClosed() {}, onUnread() {}, onError() {} },
});
/** What commands run in. */
const session: Session = {
  stdin: new StandardInput(failing("standard input cannot be read")),
  stdout: new StandardOutput(process.stdout, {
    onClosed: () => unread.abort(),
    onUnread: () => endWith({ line: null, status: ExitStatus.UNREAD }),
    onError: failing("standard output cannot be written"),
  }),
  stderr,
  progress: await terminalProgress(),
  signal: abort.signal,
  unread: unread.signal,
};
const end = (ended: number): void => {
  status = ended;
};

const program = addMachineOptions(configureProgram(new Command("capos-smp"), session))
  .description(
    `A capability microkernel on a simulated SMP machine. Without a command: boots, runs all benchmarks, each row for ${LOOK_SECONDS} s, halts.`,
  )
  .version(VERSION)
  .helpCommand("help [command]", "show what there is, or what a command takes")
  .action(async (flags: BenchFlags, { args }: Command) => {
    if (args.length > 0) throw noCommand(args);
    const { benchCommand } = await import("./commands/bench.js");
    end(await benchCommand([], { ...flags, seconds: LOOK_SECONDS }, session));
  });

addMachineCommands(program, session, end);

addMachineOptions(program.command("report [suites...]"))
  .description(
    "run benchmark suites (all but top and trace unless named), and write a page with figures and tables",
  )
  .option("--out <file>", "where the page goes", "capos-report.html")
  .option("--force", "overwrite the file")
  .addOption(
    new Option("--from <file>", "show a run that bench --save saved, measure nothing").conflicts([
      ...["seconds", "repeat", "cores", "memory", "seed", "watchdog"],
    ]),
  )
  .option("--compare <file>", "show what has changed since a run that bench --save saved")
  .option(
    "--seconds <s>",
    `time budget of a row in one repetition (default: ${SAVED_SECONDS})`,
    secondsUpTo(60),
  )
  .option(
    "--repeat <n>",
    `measure all rows n times, in turn (default: ${SAVED_REPETITIONS})`,
    integer(1, MAX_REPETITIONS),
  )
  .action(async (names: string[], _flags: ReportFlags, command: Command) => {
    const { reportCommand } = await import("./commands/report.js");
    end(await reportCommand(names, command.optsWithGlobals<ReportFlags>(), session));
  });

program
  .command("graph <system>")
  .description("draw who can reach whom in a system, as a page that needs nothing else")
  .option("-o, --out <file>", "where the page goes", "capos-graph.html")
  .option("--force", "overwrite the file")
  .addOption(new Option("--dot", "print the graph for Graphviz instead").conflicts(["out", "force"]))
  .option("--json", "print the graph as one JSON document instead")
  .action(async (file: string, _flags: GraphFlags, command: Command) => {
    const { graphCommand } = await import("./commands/graph.js");
    end(await graphCommand(file, command.optsWithGlobals<GraphFlags>(), session));
  });

program
  .command("new <folder>")
  .description("make a project to start from: two programs that talk, an application, a test")
  .option("--json", "print one JSON document instead of text")
  .action(async (folder: string, flags: NewFlags) => {
    const { newCommand } = await import("./commands/new.js");
    end(newCommand(folder, flags, session));
  });

program
  .command("inspect")
  .argument("[pid]", "the process that runs the machine (default: the only one that does)", machineName)
  .description("show a machine that another capos-smp runs: processes, threads, capabilities, queues, memory")
  .option("--list", "list the machines that run: processes, cores, command lines")
  .option("--json", "print one JSON document instead of text")
  .option("--only <sections>", `some of ${SECTIONS.join(",")}`, sectionNames)
  .action(async (pid: string | undefined, _flags: InspectFlags, command: Command) => {
    const { inspectCommand } = await import("./commands/inspect.js");
    end(await inspectCommand(pid, command.optsWithGlobals<InspectFlags>(), session));
  });

program
  .command("shell")
  .description(
    "attach to a machine that another capos-smp runs: start and end programs, call what they serve",
  )
  .option(
    "--machine <pid>",
    "the process that runs the machine (default: the only one that does)",
    machineName,
  )
  .option("-c, --command <commands>", "run these, with ; between them, and end")
  .option("--read-only", "start and end nothing")
  .option(
    "--untyped <MiB>",
    "memory for what it starts, a power of two (default: an eighth)",
    powerOfTwo(1024),
  )
  .option("--json", "print what ps, caps, names, methods, call, start and wait tell as JSON")
  .action(async (_flags: ShellFlags, command: Command) => {
    const { shellCommand } = await import("./commands/shell.js");
    end(await shellCommand(command.optsWithGlobals<ShellFlags>(), session));
  });

program
  .command("top [command...]")
  .usage("[options] -- bench|run|up|stress [arguments...]")
  .description("run a command and watch its machines: cores, processes and threads, drawn over and over")
  .option("--interval <s>", "time between two drawings (default: 1)", intervalSeconds)
  .option("--once", "print one table, of the first interval, and end")
  .option("--json", "print a JSON document for each interval instead")
  .addOption(new Option("--sort <key>", "what threads are ordered by (default: cpu)").choices(SORT_KEYS))
  .passThroughOptions()
  .action(async (words: string[], flags: TopFlags, command: Command) => {
    const { topCommand } = await import("./commands/top.js");
    end(await topCommand(words, flags, command, session));
  });

program
  .command("trace [command...]")
  .usage("[options] -- bench|run|up|stress [arguments...]")
  .description("run a command and write what its machines do, event by event, for https://ui.perfetto.dev")
  .option("--out <file>", "the trace (default: capos-trace.json)")
  .option("--force", "overwrite the file")
  .option(
    "--events <list>",
    "names of groups or events with commas between them, -NAME leaves out (default: all)",
  )
  .option("--last <ms>", "only the last milliseconds of each machine, written at its end", milliseconds)
  .option("--ring <KiB>", "each core's ring of events (default: 4096, or what fits)", traceSize)
  .addOption(
    new Option("--when-full <how>", "what a full ring does (default: stop; with --last: overwrite)").choices([
      "overwrite",
      "stop",
    ]),
  )
  .option("--limit <MiB>", "how large the file may become (default: 512)", integer(1, 1_000_000))
  .option("--protocols <file>", "a guest's module whose protocols are to be known by name; its code is run")
  .option("--list", "list the events and their fields")
  .option("--json", "with --list: as JSON")
  .option("--markdown", "with --list: as a table for documents")
  .passThroughOptions()
  .action(async (words: string[], flags: TraceFlags, command: Command) => {
    const { traceCommand } = await import("./commands/trace.js");
    end(await traceCommand(words, flags, command, session));
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
  .description(
    "run the kernel's own code, or a program of yours (./my-scenario.mjs), under every order of its cores' accesses, within stated bounds",
  )
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
  .option("--save <file>", "where a counter-example goes (default: capos-check-NAME.json, or with a number)")
  .option("--force", "with --save: overwrite the file")
  .addOption(
    new Option("--replay <file>", "run a counter-example's schedule again").conflicts([
      ...REPLAYS_ONLY,
      ...["quick", "resume", "save", "force"],
    ]),
  )
  .option("--inspect-brk [address]", "with --replay: wait for a debugger, and stop at the first step")
  .option("--verbose", "show all accesses of a counter-example, also those that say nothing")
  .option("--json", "print one JSON document instead of text")
  .option("--quiet", "show no progress")
  .action(async (names: string[], _flags: CheckFlags, command: Command) => {
    const { checkCommand } = await import("./commands/check.js");
    end(await checkCommand(names, command.optsWithGlobals<CheckFlags>(), session));
  });

// What stands where a command is expected is told by its own name.
program.allowExcessArguments(true);

function noCommand([word = ""]: readonly string[]): UsageError {
  if (existsSync(word))
    return new UsageError(`${word} is no command; run a guest with capos-smp run ${word}`);
  const names = program.commands.map((command) => command.name());
  return unknownName("command", word, [...names, "help"], "capos-smp help");
}

/** What went wrong, as one line, and the status that goes with it. */
function explain(error: unknown): Ending {
  // First: what an interrupted run without end has measured may be too little to be compared.
  if (error instanceof UsageError) return { line: error.message, status: ExitStatus.USAGE };
  if (ending !== null) return ending;
  if (error instanceof MachineError) return { line: error.message, status: error.status };
  // A bug of ours: here a stack trace is what helps.
  return {
    line: error instanceof Error ? (error.stack ?? error.message) : String(error),
    status: ExitStatus.FAILED,
  };
}

/** What a signal that ends a command is told as, and the status that a shell gives it. */
const SIGNALS = {
  SIGINT: { line: "interrupted", status: ExitStatus.INTERRUPTED },
  SIGTERM: { line: "terminated", status: ExitStatus.TERMINATED },
  SIGHUP: { line: "the terminal is gone", status: ExitStatus.HUNG_UP },
} as const;
type Signal = keyof typeof SIGNALS;
const signals = Object.keys(SIGNALS) as Signal[];
let isInterrupted = false;

/** The first asks the command to end, the second ends it as it stands; the third is the system's again. */
function onSignal(signal: NodeJS.Signals): void {
  const how = SIGNALS[signal as Signal];
  if (isInterrupted) {
    for (const each of signals) process.off(each, onSignal);
    // Not by the signal: a terminal is given back at this exit, a file that grows is ended.
    process.exit((ending ?? how).status);
  }
  isInterrupted = true;
  endWith(how);
}

for (const signal of signals) process.on(signal, onSignal);
let told = false;
try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) status = error.exitCode === 0 ? ExitStatus.OK : ExitStatus.USAGE;
  else tell(explain(error));
}
process.exitCode = status;
// What was printed may not have left yet; and a command may end well all the same.
process.once("beforeExit", () => {
  const isSignal = Object.values(SIGNALS).some((how) => how === ending);
  if (!told && ending !== null && !isSignal && status === ExitStatus.OK) tell(ending);
});

function tell({ line, status: its }: Ending): void {
  told = true;
  status = its;
  process.exitCode = its;
  if (line !== null) stderr.write(`capos-smp: ${visibleLines(line)}\n`);
}
