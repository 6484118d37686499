/** Asking a machine in another process for its state. */
import { connect } from "node:net";
import type { MachineState } from "@capos/inspect";
import { ExitStatus, MachineError, UsageError } from "../errors.js";
import { type Answer, REQUEST } from "./door.js";
import { FolderError, listProcesses, removeFile, socketPath } from "./folder.js";

/** A machine that has not answered by then, on however busy a host, will not, in milliseconds. */
const PATIENCE_MS = 60_000;

/** Errors of a connection that say that nobody listens. */
const NOBODY: ReadonlySet<string> = new Set(["ECONNREFUSED", "ENOENT", "ENOTSOCK"]);

/**
 * The number of the process to ask: the one that is named, or the only one that runs a machine.
 * @throws UsageError if there is none, or a choice.
 */
export function chooseProcess(pid: number | undefined): number {
  const running = processes();
  if (pid !== undefined) {
    if (running.includes(pid)) return pid;
    throw new UsageError(`process ${pid} runs no machine; ${whichRun(running)}`);
  }
  if (running.length === 1) return running[0];
  throw new UsageError(
    running.length === 0
      ? whichRun(running)
      : `which machine? ${whichRun(running)}: say one of these numbers`,
  );
}

function whichRun(running: readonly number[]): string {
  return running.length === 0
    ? "no machine is running: start one with capos-smp run, bench or stress"
    : `machines run in process${running.length === 1 ? "" : "es"} ${running.join(", ")}`;
}

function processes(): number[] {
  try {
    return listProcesses();
  } catch (error) {
    if (error instanceof FolderError) throw new UsageError(error.message);
    throw error;
  }
}

/**
 * The state of the machine that a process runs.
 * @throws UsageError if it runs none (any more); MachineError if it does not answer.
 */
export async function askMachine(pid: number): Promise<MachineState> {
  const text = await request(pid);
  let answer: Answer;
  try {
    answer = JSON.parse(text) as Answer;
  } catch {
    throw new MachineError(`the machine in process ${pid} ended before it answered`, ExitStatus.FAILED);
  }
  if ("state" in answer) return answer.state;
  throw new MachineError(`the machine in process ${pid} cannot say: ${answer.error}`, ExitStatus.FAILED);
}

function request(pid: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath(pid));
    let text = "";
    socket.setEncoding("utf8");
    socket.setTimeout(PATIENCE_MS, () => {
      socket.destroy(new MachineError(`the machine in process ${pid} does not answer`, ExitStatus.FAILED));
    });
    socket.on("connect", () => socket.write(`${REQUEST}\n`));
    socket.on("data", (more: string) => {
      text += more;
    });
    socket.on("end", () => resolve(text));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (!NOBODY.has(error.code ?? "")) {
        reject(
          error instanceof MachineError ? error : new MachineError(explain(pid, error), ExitStatus.FAILED),
        );
        return;
      }
      // Its process is alive and listens at nothing: the number was another's.
      removeFile(pid);
      reject(new UsageError(`process ${pid} runs no machine`));
    });
  });
}

function explain(pid: number, error: Error): string {
  return `the machine in process ${pid} cannot be asked: ${error.message}`;
}
