/**
 * A machine for applications: `boot(options)` gives one that runs guests and benchmarks and halts.
 *
 *     const machine = await boot({ cores: 2 });
 *     const { status } = await machine.run("hello.ts", { args: ["world"] });
 *     await machine.halt();
 *
 * With `process: "own"` the machine has a process of its own, and is used in the same way.
 */
import type { Backend } from "./backend.js";
import { call } from "./callbacks.js";
import { openDoor } from "./door/door.js";
import { bootHere } from "./in-process.js";
import { logSink, standardDestination } from "./log-sink.js";
import { CaposMachine } from "./machine.js";
import type { BootOptions } from "./options.js";

/**
 * Boots a machine and waits until its services are up.
 * @throws UsageError for an option out of range or a memory too small; MachineError if it does not boot.
 */
export async function boot(options: BootOptions = {}): Promise<CaposMachine> {
  const log = logSink(options.logLevel ?? "info", options.logDestination ?? (await standardDestination()));
  const bootIt = options.process === "own" ? (await import("./own-process/boot.js")).bootApart : bootHere;
  const backend = await bootIt(options, log);
  if (options.inspectable === true) await letInspect(backend, log);
  return new CaposMachine(backend);
}

/** Lets other processes inspect a machine until it ends. One that they cannot ask works as well. */
async function letInspect(backend: Backend, log: (line: string) => unknown): Promise<void> {
  try {
    const door = await openDoor(() => backend.inspect());
    backend.ended.then(door.close, door.close);
  } catch (error) {
    const text = `capos-smp inspect cannot ask this machine: ${error instanceof Error ? error.message : error}`;
    call(log, JSON.stringify({ level: 20, process: "host", text }));
  }
}
