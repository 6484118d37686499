/** `capos-smp run FILE...`: boots a machine and runs the user's own guests on it. */
import { MAX_CORES, visibleJson, visibleLines } from "@capos/abi";
import type { RunResult } from "@capos/machine";
import { defaultCores } from "@capos/machine/defaults";
import { GuestBuild, type GuestFlags } from "../guest-build.js";
import type { Output, Session } from "../session.js";
import type { Beside } from "../shell/beside.js";
import type { MachineFlags } from "./options.js";
import { programsOf } from "./programs.js";

export interface RunFlags extends MachineFlags, GuestFlags {
  readonly core?: number;
  readonly debug?: boolean;
  readonly shell?: boolean;
  /** Seconds. */
  readonly timeout?: number;
}

/** Runs guests, each a file, beside each other; answers the first exit status that is not 0. */
export async function runCommand(
  file: string,
  rest: readonly string[],
  flags: RunFlags,
  session: Session,
): Promise<number> {
  if (flags.shell !== true) return runGuests(file, rest, flags, session, null);
  const { runBesideShell } = await import("../shell/beside.js");
  return runBesideShell(flags, session, (inner, beside) => runGuests(file, rest, flags, inner, beside));
}

/** @param beside what goes on beside them and says when the machine ends; null: it ends with the last of them */
async function runGuests(
  file: string,
  rest: readonly string[],
  flags: RunFlags,
  session: Session,
  beside: Beside | null,
): Promise<number> {
  const { stdin, stdout, stderr, signal } = session;
  const programs = programsOf(file, rest);
  const build = new GuestBuild(
    programs.map((program) => program.file),
    flags,
    signal,
  );
  const [{ boot }, { bootOptions, KEPT_KIB }, { LabelledConsole }, { runTogether }] = await Promise.all([
    import("@capos/machine"),
    import("./boot-options.js"),
    import("./labelled-console.js"),
    import("./run-together.js"),
  ]);
  // Before a machine is built: most mistakes are in the guest.
  const makeImages = await build.read;
  // Who watches machines is shown none for a guest that cannot run.
  const early = session.onMachine === undefined ? null : await makeImages();
  if (early !== null) await build.checked;
  const isOne = programs.length === 1;
  const labelled = isOne ? undefined : new LabelledConsole(programs.map(({ name }) => name));
  const lines: string[] = [];
  const options = await bootOptions(
    // A core for each, and init's.
    isOne ? flags : { cores: Math.min(MAX_CORES, Math.max(defaultCores(), programs.length + 1)), ...flags },
    session,
    KEPT_KIB,
    labelled,
  );
  const booting = boot({
    ...options,
    // The phases of the boot are of interest to somebody who watches, not to a script.
    ...(stderr.isTTY !== true && { onKernel: (text: string) => showTrouble(text, stderr) }),
    onConsole: flags.json === true ? (line) => void lines.push(line) : letGo(options.onConsole!, signal),
    onInput: stdin === null ? () => null : () => stdin.read(),
  });
  const [booted, made, checked] = await Promise.allSettled([
    booting,
    early ?? whileOthersWork(makeImages),
    build.checked,
  ]);
  if (booted.status === "rejected") throw booted.reason;
  const machine = booted.value;
  if (made.status === "rejected" || checked.status === "rejected") {
    await machine.halt();
    // The builder's own words say more of what both refuse.
    throw made.status === "rejected" ? made.reason : (checked as PromiseRejectedResult).reason;
  }
  build.tellUnchecked(checked.value, stderr);
  try {
    signal.throwIfAborted();
    const running = runTogether(
      machine,
      programs.map(({ name, args }, i) => ({
        image: made.value[i]!,
        name,
        options: {
          args,
          ...(!isOne && { name, labelled: true }),
          // Ends the program, and the machine then: what it still had to say is said. Who asks again ends both as they stand.
          signal,
          ...(flags.timeout !== undefined && { timeoutMs: flags.timeout * 1000 }),
          ...(flags.core !== undefined && { cores: [flags.core] }),
          ...(flags.debug !== undefined && { debug: flags.debug }),
        },
      })),
      (waits) => {
        if (flags.quiet === true || beside !== null) return;
        const whom = isOne ? "this program, it waits" : "these programs, they wait";
        stderr.write(`capos-smp: nobody is left who could wake ${whom} for ever (Ctrl-C ends it):\n`);
        for (const line of waits) stderr.write(`  ${visibleLines(line)}\n`);
      },
      (result) => {
        if ((!isOne || beside !== null) && flags.json !== true && result.fault !== "")
          stderr.write(faultLines(result));
      },
    );
    if (beside !== null) return await beside(machine, running);
    const results = await running;
    await machine.halt();
    const status = results.find((result) => result.status !== 0)?.status ?? 0;
    if (flags.json === true) {
      const own = (name: string): string[] =>
        lines
          .map((line) => labelled?.parse(line))
          .flatMap((line) => (line?.name === name ? [line.text] : []));
      const document = isOne
        ? { file, ...results[0], console: lines }
        : {
            status,
            programs: programs.map((program, i) => ({
              ...{ file: program.file, name: program.name },
              ...results[i],
              console: own(program.name),
            })),
          };
      stdout.write(`${visibleJson(document)}\n`);
    } else if (isOne && results[0]!.fault !== "") stderr.write(faultLines(results[0]!));
    return status;
  } finally {
    stdin?.close();
    await machine.halt();
  }
}

/** A console that holds nobody once the command is to end: the program's end is told behind what it has written. */
function letGo(write: (line: string) => unknown, signal: AbortSignal): (line: string) => unknown {
  const held = new Set<() => void>();
  signal.addEventListener("abort", () => {
    for (const release of held) release();
  });
  return (line) => {
    const taken = write(line);
    if (!(taken instanceof Promise) || signal.aborted) return undefined;
    return new Promise<void>((resolve) => {
      const release = (): void => {
        held.delete(release);
        resolve();
      };
      held.add(release);
      taken.then(release, release);
    });
  };
}

/** Does this thread's work after what was begun has given the others theirs. */
async function whileOthersWork<Result>(work: () => Promise<Result>): Promise<Result> {
  await new Promise((resolve) => setImmediate(resolve));
  return work();
}

/** Passes on what the kernel writes, without the boot's phases. */
function showTrouble(text: string, stderr: Output): void {
  const rest = text.replace(/^\[ *[\d.]+ ms\] phase .*\n/gm, "");
  if (rest !== "") stderr.write(rest);
}

/** A fault; and where it was called from, if that says more than its own place. */
function faultLines({ fault, stack }: RunResult): string {
  const lines = stack.length > 1 ? stack : [];
  return [`capos-smp: ${fault}`, ...lines.map((line) => `    ${line}`), ""].join("\n");
}
