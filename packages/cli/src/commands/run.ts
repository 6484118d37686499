/** `capos-smp run FILE`: boots a machine and runs the user's own guest on it. */
import { visibleJson, visibleLines } from "@capos/abi";
import { boot, compileGuest } from "@capos/machine";
import { UsageError } from "@capos/machine/errors";
import type { Output, Session } from "../session.js";
import { bootOptions, KEPT_KIB } from "./boot-options.js";
import type { MachineFlags } from "./options.js";
import { watchStandstill } from "./standstill-watch.js";

export interface RunFlags extends MachineFlags {
  readonly core?: number;
  readonly debug?: boolean;
  readonly ownProcess?: boolean;
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
  const { stdin, stdout, stderr, signal } = session;
  if (flags.ownProcess === true && session.onMachine !== undefined)
    throw new UsageError("--own-process: top and trace see machines of their own process only");
  const options = await bootOptions(flags, session, KEPT_KIB);
  const compiling = compileGuest(file, { root: flags.root, signal });
  // Who watches machines is shown none for a guest that cannot run.
  if (session.onMachine !== undefined) await compiling;
  const lines: string[] = [];
  const booting = boot({
    ...options,
    // The phases of the boot are of interest to somebody who watches, not to a script.
    ...(stderr.isTTY !== true && { onKernel: (text: string) => showTrouble(text, stderr) }),
    onConsole: flags.json === true ? (line) => void lines.push(line) : letGo(options.onConsole!, signal),
    ...(flags.ownProcess === true && { process: "own" }),
    onInput: stdin === null ? () => null : () => stdin.read(),
  });
  const [compiled, booted] = await Promise.allSettled([compiling, booting]);
  // Most mistakes are in the guest.
  if (compiled.status === "rejected") {
    if (booted.status === "fulfilled") await booted.value.halt();
    throw compiled.reason;
  }
  if (booted.status === "rejected") throw booted.reason;
  const image = compiled.value;
  const machine = booted.value;
  const endWatch =
    flags.quiet === true
      ? () => {}
      : watchStandstill(machine, (waits) => {
          stderr.write(
            "capos-smp: nobody is left who could wake this program, it waits for ever (Ctrl-C ends it):\n",
          );
          for (const line of waits) stderr.write(`  ${visibleLines(line)}\n`);
        });
  try {
    signal.throwIfAborted();
    const result = await machine.runImage(image, {
      args,
      // Ends the program, and the machine then: what it still had to say is said. Who asks again ends both as they stand.
      signal,
      ...(flags.timeout !== undefined && { timeoutMs: flags.timeout * 1000 }),
      ...(flags.core !== undefined && { cores: [flags.core] }),
      ...(flags.debug !== undefined && { debug: flags.debug }),
    });
    await machine.halt();
    if (flags.json === true) stdout.write(`${visibleJson({ file, ...result, console: lines })}\n`);
    else if (result.fault !== "") stderr.write(`capos-smp: ${result.fault}\n`);
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

/** Passes on what the kernel writes, without the boot's phases. */
function showTrouble(text: string, stderr: Output): void {
  const rest = text.replace(/^\[ *[\d.]+ ms\] phase .*\n/gm, "");
  if (rest !== "") stderr.write(rest);
}
