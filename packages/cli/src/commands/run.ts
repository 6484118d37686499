/** `capos-smp run FILE`: boots a machine and runs the user's own guest on it. */
import { visibleJson, visibleLines } from "@capos/abi";
import type { RunResult } from "@capos/machine";
import { readGuest } from "@capos/machine/compile-guest";
import { UsageError } from "@capos/machine/errors";
import type { Output, Session } from "../session.js";
import type { Beside } from "../shell/beside.js";
import type { MachineFlags } from "./options.js";
import { watchStandstill } from "./standstill-watch.js";

export interface RunFlags extends MachineFlags {
  readonly core?: number;
  readonly debug?: boolean;
  readonly ownProcess?: boolean;
  readonly shell?: boolean;
  /** Seconds. */
  readonly timeout?: number;
  readonly root?: string;
}

/** Runs a guest; answers its exit status. */
export async function runCommand(
  file: string,
  args: readonly string[],
  flags: RunFlags,
  session: Session,
): Promise<number> {
  if (flags.shell !== true) return runGuest(file, args, flags, session, null);
  const { runBesideShell } = await import("../shell/beside.js");
  return runBesideShell(flags, session, (inner, beside) => runGuest(file, args, flags, inner, beside));
}

/** @param beside what goes on beside it and says when the machine ends; null: it ends with the guest */
async function runGuest(
  file: string,
  args: readonly string[],
  flags: RunFlags,
  session: Session,
  beside: Beside | null,
): Promise<number> {
  const { stdin, stdout, stderr, signal } = session;
  if (flags.ownProcess === true && session.onMachine !== undefined)
    throw new UsageError("--own-process: top and trace see machines of their own process only");
  // First of all: the bundler is a process, and starts while the machine's host side is loaded.
  const reading = readGuest(file, { root: flags.root, signal });
  // Told of below.
  reading.catch(() => {});
  const [{ boot }, { bootOptions, KEPT_KIB }] = await Promise.all([
    import("@capos/machine"),
    import("./boot-options.js"),
  ]);
  // Before a machine is built: most mistakes are in the guest.
  const makeImage = await reading;
  // Who watches machines is shown none for a guest that cannot run.
  const early = session.onMachine === undefined ? null : await makeImage();
  const lines: string[] = [];
  const options = await bootOptions(flags, session, KEPT_KIB);
  const booting = boot({
    ...options,
    // The phases of the boot are of interest to somebody who watches, not to a script.
    ...(stderr.isTTY !== true && { onKernel: (text: string) => showTrouble(text, stderr) }),
    onConsole: flags.json === true ? (line) => void lines.push(line) : letGo(options.onConsole!, signal),
    ...(flags.ownProcess === true && { process: "own" }),
    onInput: stdin === null ? () => null : () => stdin.read(),
  });
  const [booted, made] = await Promise.allSettled([booting, early ?? whileOthersWork(makeImage)]);
  if (booted.status === "rejected") throw booted.reason;
  const machine = booted.value;
  if (made.status === "rejected") {
    await machine.halt();
    throw made.reason;
  }
  const image = made.value;
  const endWatch =
    flags.quiet === true || beside !== null
      ? () => {}
      : watchStandstill(machine, (waits) => {
          stderr.write(
            "capos-smp: nobody is left who could wake this program, it waits for ever (Ctrl-C ends it):\n",
          );
          for (const line of waits) stderr.write(`  ${visibleLines(line)}\n`);
        });
  try {
    signal.throwIfAborted();
    const running = machine.runImage(image, {
      args,
      // Ends the program, and the machine then: what it still had to say is said. Who asks again ends both as they stand.
      signal,
      ...(flags.timeout !== undefined && { timeoutMs: flags.timeout * 1000 }),
      ...(flags.core !== undefined && { cores: [flags.core] }),
      ...(flags.debug !== undefined && { debug: flags.debug }),
    });
    if (beside !== null) return await beside(machine, running);
    const result = await running;
    await machine.halt();
    if (flags.json === true) stdout.write(`${visibleJson({ file, ...result, console: lines })}\n`);
    else if (result.fault !== "") stderr.write(faultLines(result));
    return result.status;
  } finally {
    endWatch();
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
