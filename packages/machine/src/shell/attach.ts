/** The terminal's end: a shell on a machine of another process. */
import { once } from "node:events";
import type { Socket } from "node:net";
import { connectTo } from "../door/ask.js";
import { type Answer, Request } from "../door/door.js";
import type { RunningMachine } from "../door/folder.js";
import { ExitStatus, MachineError } from "../errors.js";
import { type Settled, unsettle } from "../own-process/protocol.js";
import { openChannel, type ShellSide, type TerminalSide } from "./channel.js";
import type { Shell, ShellEvents, ShellOptions } from "./types.js";

const LF = 10;

/**
 * Opens a shell on a machine that another process of this host runs.
 * @throws UsageError if it runs no more, or has no room for one; MachineError if it takes none
 */
export async function attachShell(
  machine: RunningMachine,
  options: ShellOptions,
  events: ShellEvents,
): Promise<Shell> {
  const socket = await connectTo(machine);
  const gone = `the machine in process ${machine.pid} has ended`;
  let why = gone;
  const closed = once(socket, "close").then(() => why);
  let nextAsk = 1;
  const functions: TerminalSide = {
    console: async (line) => {
      await events.console(line);
    },
    log: events.log,
    ended: events.ended,
    lost: (reason) => {
      why = reason;
    },
  };
  const { remote, push } = openChannel<ShellSide, TerminalSide>(socket, functions);
  socket.write(`${Request.SHELL}\n`);
  push(await greeting(socket, machine));
  socket.on("data", push);

  async function ask<T>(work: () => Promise<Settled<T>>): Promise<T> {
    const lost = closed.then((reason): never => {
      throw new MachineError(reason, ExitStatus.FAILED);
    });
    lost.catch(() => {});
    // A channel that was closed says no more than that.
    const asked = work().catch((): Promise<never> => lost);
    return unsettle(await Promise.race([asked, lost]));
  }

  function cancellable<T>(
    signal: AbortSignal | undefined,
    work: (ask: number) => Promise<Settled<T>>,
  ): Promise<T> {
    const number = nextAsk++;
    const cancel = (): void => void remote.cancel.asEvent(number);
    signal?.addEventListener("abort", cancel, { once: true });
    return ask(() => work(number)).finally(() => signal?.removeEventListener("abort", cancel));
  }

  const shell: Shell = {
    names: () => ask(() => remote.names()),
    describe: (name, signal) => cancellable(signal, (number) => remote.describe(number, name)),
    call: (name, method, values, signal) =>
      cancellable(signal, (number) => remote.call(number, name, method, values)),
    start: (start) => ask(() => remote.start(start)),
    end: (pid) => ask(() => remote.end(pid)),
    wait: (pid) => ask(() => remote.wait(pid)),
    look: () => ask(() => remote.look()),
    watchLog: (on) => ask(() => remote.watchLog(on)),
    close: async () => {
      socket.end();
      // The other side ends it when nothing of the shell runs any more.
      await closed;
    },
    lost: closed,
  };
  try {
    await ask(() => remote.open(options));
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return shell;
}

/** Waits for the line by which the machine says whether it takes a shell; gives what came after it. @throws MachineError */
async function greeting(socket: Socket, { pid }: RunningMachine): Promise<Uint8Array> {
  const failure = (what: string): MachineError => {
    socket.destroy();
    return new MachineError(`the machine in process ${pid} ${what}`, ExitStatus.FAILED);
  };
  let said = Buffer.alloc(0);
  for (;;) {
    const end = said.indexOf(LF);
    const line = said.subarray(0, end < 0 ? said.length : end).toString();
    if (end >= 0 && line === Request.SHELL) return said.subarray(end + 1);
    if (socket.readableEnded || end >= 0) {
      try {
        const answer = JSON.parse(line) as Answer;
        throw failure("error" in answer ? `takes no shell: ${answer.error}` : "takes no shell");
      } catch (error) {
        if (error instanceof MachineError) throw error;
        throw failure("ended before it answered");
      }
    }
    const [bytes] = (await Promise.race([
      once(socket, "data"),
      once(socket, "end"),
      once(socket, "close"),
    ])) as [Buffer?];
    if (bytes instanceof Buffer) said = Buffer.concat([said, bytes]);
    else if (socket.destroyed && said.length === 0) throw failure("ended before it answered");
  }
}
