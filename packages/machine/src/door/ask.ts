/** Asking a machine in another process for its state. */
import { connect } from "node:net";
import type { MachineState } from "@capos/inspect";
import { ExitStatus, MachineError, UsageError } from "../errors.js";
import { type Answer, REQUEST } from "./door.js";
import {
  FolderError,
  listMachines,
  type RunningMachine,
  removeFile,
  SocketRoute,
  saysNobody,
} from "./folder.js";

/** A machine that has not answered by then, on however busy a host, will not, in milliseconds. */
const PATIENCE_MS = 60_000;

/**
 * The machine to ask: the one whose process, or whose full name, is given; or the only one that runs.
 * @throws UsageError if there is none, or a choice.
 */
export async function chooseMachine(which: string | undefined): Promise<RunningMachine> {
  const running = await inFolder(listMachines);
  if (running.length === 0 && which === undefined) throw new UsageError(whichRun(running));
  const chosen = running.filter(
    ({ pid, name }) => which === undefined || which === String(pid) || which === name,
  );
  if (chosen.length === 0) throw new UsageError(`process ${which} runs no machine; ${whichRun(running)}`);
  if (chosen.length > 1) throw new UsageError(`which machine? ${whichRun(chosen)}: say one of these numbers`);
  return chosen[0]!;
}

function whichRun(running: readonly RunningMachine[]): string {
  if (running.length === 0) return "no machine is running: start one with capos-smp run, bench or stress";
  // Of processes of several containers two may have the same number.
  const isAlone = (pid: number) => running.filter((other) => other.pid === pid).length === 1;
  const labels = running.map(({ pid, name }) => (isAlone(pid) ? String(pid) : name));
  return `machines run in process${running.length === 1 ? "" : "es"} ${labels.join(", ")}`;
}

async function inFolder<Result>(work: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof FolderError) throw new UsageError(error.message);
    throw error;
  }
}

/**
 * The state of a machine of another process.
 * @throws UsageError if it does not run any more; MachineError if it does not answer.
 */
export async function askMachine(machine: RunningMachine): Promise<MachineState> {
  const { pid } = machine;
  const text = await request(machine);
  let answer: Answer;
  try {
    answer = JSON.parse(text) as Answer;
  } catch {
    throw new MachineError(`the machine in process ${pid} ended before it answered`, ExitStatus.FAILED);
  }
  if ("state" in answer) return answer.state;
  throw new MachineError(`the machine in process ${pid} cannot say: ${answer.error}`, ExitStatus.FAILED);
}

async function request({ pid, name }: RunningMachine): Promise<string> {
  const route = await inFolder(() => new SocketRoute());
  try {
    return await new Promise((resolve, reject) => {
      const socket = connect(route.to(name));
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
      socket.on("error", (error) => {
        if (saysNobody(error)) {
          removeFile(name);
          reject(new UsageError(`process ${pid} runs no machine any more`));
        } else if (error instanceof MachineError) reject(error);
        else reject(new MachineError(explain(pid, error), ExitStatus.FAILED));
      });
    });
  } finally {
    route.close();
  }
}

function explain(pid: number, error: Error): string {
  return `the machine in process ${pid} cannot be asked: ${error.message}`;
}
