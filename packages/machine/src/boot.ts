/**
 * A machine for applications: `boot(options)` gives one that runs guests and benchmarks and halts.
 *
 *     const machine = await boot({ cores: 2 });
 *     const { status } = await machine.run("hello.ts", { args: ["world"] });
 *     await machine.halt();
 *
 * With `process: "own"` the machine has a process of its own, and is used in the same way.
 */
import { basename } from "node:path";
import process from "node:process";
import { call } from "./callbacks.js";
import { openDoor } from "./door/door.js";
import { bootHere } from "./in-process.js";
import { checkBootOptions } from "./known-options.js";
import { logSink, standardDestination } from "./log-sink.js";
import { CaposMachine } from "./machine.js";
import type { BootOptions } from "./options.js";
import { LogTaps } from "./shell/log-taps.js";

/**
 * Boots a machine and waits until its services are up.
 * @throws UsageError for an option out of range or a memory too small; MachineError if it does not boot.
 */
export async function boot(options: BootOptions = {}): Promise<CaposMachine> {
  checkBootOptions(options);
  const taps = new LogTaps(
    logSink(options.logLevel ?? "info", options.logDestination ?? (await standardDestination())),
  );
  const bootIt = options.process === "own" ? (await import("./own-process/boot.js")).bootApart : bootHere;
  const machine = new CaposMachine(await bootIt(options, taps.write), taps);
  if (options.inspectable === true)
    await openTo(machine, options.attachable === true, taps.write, options.command ?? startedAs());
  return machine;
}

/** The program of this process, and its arguments. */
function startedAs(): string[] {
  const [, program = "node", ...args] = process.argv;
  return [basename(program), ...args];
}

/** Lets other processes ask a machine until it ends. One that they cannot ask works as well. */
async function openTo(
  machine: CaposMachine,
  isAttachable: boolean,
  log: (line: string) => unknown,
  command: readonly string[],
): Promise<void> {
  const { cores, memoryMiB } = machine;
  try {
    const door = await openDoor({
      inspect: () => machine.inspect(),
      label: { command, cores, memoryMiB, bootedMs: Date.now() },
      openShell: isAttachable ? (options, events) => machine.openShell(options, events) : null,
    });
    machine.ended().then(door.close, door.close);
  } catch (error) {
    const text = `capos-smp inspect cannot ask this machine: ${error instanceof Error ? error.message : error}`;
    call(log, JSON.stringify({ level: 20, process: "host", text }));
  }
}
