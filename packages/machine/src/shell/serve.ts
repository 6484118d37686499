/** The machine's end of a shell's socket. */
import type { Socket } from "node:net";
import { ExitStatus, MachineError, UsageError } from "../errors.js";
import { type Settled, settle } from "../own-process/protocol.js";
import { openChannel, type ShellSide, type TerminalSide } from "./channel.js";
import type { Shell, ShellEvents, ShellOptions } from "./types.js";

/** Opens a shell for whoever is at the other end of a door. */
export type OpenShell = (options: ShellOptions, events: ShellEvents) => Promise<Shell>;

/** How something went. What is no error for people has a text all the same: the other side has nothing else. */
async function told<T>(begin: () => T | Promise<T>): Promise<Settled<T>> {
  const settled = await settle(begin);
  // JSON has no undefined.
  if ("value" in settled) return { value: settled.value ?? (null as T) };
  if (!("thrown" in settled)) return settled;
  const { message } = settled.thrown;
  return { failure: { message, status: ExitStatus.FAILED, dump: "" } };
}

/** Serves a shell to whoever connected; it ends with the connection. @param said what was said already */
export function serveShell(socket: Socket, said: Uint8Array, open: OpenShell): void {
  let shell: Promise<Shell> | null = null;
  const asks = new Map<number, AbortController>();
  const opened = async (): Promise<Shell> => {
    if (shell === null) throw new UsageError("the shell is not open");
    return shell;
  };
  const asked = async <T>(ask: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    const abort = new AbortController();
    asks.set(ask, abort);
    try {
      return await work(abort.signal);
    } catch (error) {
      if (abort.signal.aborted) throw new MachineError("cancelled", ExitStatus.FAILED);
      throw error;
    } finally {
      asks.delete(ask);
    }
  };
  const functions: ShellSide = {
    open: (options) =>
      told(async () => {
        if (shell !== null) throw new UsageError("the shell is open");
        shell = open(options, events);
        const it = await shell;
        void it.lost.then((why) => {
          terminal.lost.asEvent(why);
          socket.end();
        });
      }),
    names: () => told(async () => (await opened()).names()),
    describe: (ask, name) =>
      told(() => asked(ask, async (signal) => (await opened()).describe(name, signal))),
    call: (ask, name, method, values) =>
      told(() => asked(ask, async (signal) => (await opened()).call(name, method, values, signal))),
    cancel: (ask) => asks.get(ask)?.abort(),
    start: (start) => told(async () => (await opened()).start(start)),
    end: (pid) => told(async () => (await opened()).end(pid)),
    wait: (pid) => told(async () => (await opened()).wait(pid)),
    look: () => told(async () => (await opened()).look()),
    watchLog: (on) => told(async () => (await opened()).watchLog(on)),
  };
  const { remote: terminal, push } = openChannel<TerminalSide, ShellSide>(socket, functions);
  const events: ShellEvents = {
    // One that is gone takes no lines, and holds nobody.
    console: (line) => terminal.console(line).catch(() => {}),
    log: (line) => void terminal.log.asEvent(line),
    ended: (end) => void terminal.ended.asEvent(end),
  };
  socket.on("data", push);
  socket.on("close", () => {
    for (const abort of asks.values()) abort.abort();
    shell?.then(
      (it) => it.close(),
      () => {},
    );
  });
  push(said);
}
