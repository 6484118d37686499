/** `capos-smp run FILE`: boots a machine and runs the user's own guest on it. */
import process from "node:process";
import { boot, compileGuest } from "../boot.js";
import { bootOptions, type MachineFlags } from "./options.js";

export interface RunFlags extends MachineFlags {
  readonly core?: number;
  readonly debug?: boolean;
}

/** Runs a guest; answers its exit status. */
export async function runCommand(
  file: string,
  args: readonly string[],
  flags: RunFlags,
  signal: AbortSignal,
): Promise<number> {
  // Before a machine is built: most mistakes are in the guest.
  const image = await compileGuest(file);
  const lines: string[] = [];
  const machine = await boot({
    ...bootOptions(flags),
    // The phases of the boot are of interest to somebody who watches, not to a script.
    ...(!process.stderr.isTTY && { onKernel: showTrouble }),
    ...(flags.json === true && { onConsole: (line: string) => void lines.push(line) }),
  });
  const interrupt = (): void => void machine.halt();
  signal.addEventListener("abort", interrupt);
  process.stdin.on("data", (bytes: Buffer) => machine.feed(bytes));
  process.stdin.on("end", () => machine.closeInput());
  try {
    signal.throwIfAborted();
    const result = await machine.runImage(image, {
      args,
      ...(flags.core !== undefined && { core: flags.core }),
      ...(flags.debug !== undefined && { debug: flags.debug }),
    });
    await machine.halt();
    if (flags.json === true) process.stdout.write(`${JSON.stringify({ file, ...result, console: lines })}\n`);
    else if (result.fault !== "") process.stderr.write(`capos-smp: ${result.fault}\n`);
    return result.status;
  } finally {
    signal.removeEventListener("abort", interrupt);
    process.stdin.destroy();
    await machine.halt();
  }
}

/** Passes on what the kernel writes, without the boot's phases. */
function showTrouble(text: string): void {
  const rest = text.replace(/^\[ *[\d.]+ ms\] phase .*\n/gm, "");
  if (rest !== "") process.stderr.write(rest);
}
