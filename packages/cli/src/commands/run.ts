/** `capos-smp run FILE`: boots a machine and runs the user's own guest on it. */
import { visibleJson } from "@capos/abi";
import { boot, compileGuest, type RunResult } from "@capos/machine";
import { UsageError } from "@capos/machine/errors";
import type { Output, Session } from "../session.js";
import { bootOptions, KEPT_KIB } from "./boot-options.js";
import type { MachineFlags } from "./options.js";

export interface RunFlags extends MachineFlags {
  readonly core?: number;
  readonly debug?: boolean;
  readonly ownProcess?: boolean;
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
    ...(flags.json === true && { onConsole: (line: string) => void lines.push(line) }),
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
  const interrupt = (): void => void machine.halt();
  signal.addEventListener("abort", interrupt);
  try {
    signal.throwIfAborted();
    const result = await machine.runImage(image, {
      args,
      ...(flags.core !== undefined && { core: flags.core }),
      ...(flags.debug !== undefined && { debug: flags.debug }),
    });
    await machine.halt();
    if (flags.json === true) stdout.write(`${visibleJson({ file, ...result, console: lines })}\n`);
    else if (result.fault !== "") stderr.write(faultLines(result));
    return result.status;
  } finally {
    signal.removeEventListener("abort", interrupt);
    stdin?.close();
    await machine.halt();
  }
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
