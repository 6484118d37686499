/** Asking a machine in another process for its state. */
import { connect, type Socket } from "node:net";
import { visible } from "@capos/abi";
import type { MachineState } from "@capos/inspect";
import { ExitStatus, MachineError, UsageError } from "../errors.js";
import { type Answer, type MachineLabel, Request } from "./door.js";
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
/** For what tells it from others: without that it is still known by its number. */
const LABEL_PATIENCE_MS = 5_000;

/** A machine that runs, and what its process says of it. */
export interface LabelledMachine {
  /** What `inspect` is given to choose it: its process's number, or more where two have the same. */
  readonly name: string;
  /** Null if its process does not say. */
  readonly label: MachineLabel | null;
}

/** All machines that run. @throws UsageError if the folder of their files cannot be used */
export async function labelledMachines(): Promise<LabelledMachine[]> {
  return await withLabels(await inFolder(listMachines));
}

async function withLabels(running: readonly RunningMachine[]): Promise<LabelledMachine[]> {
  // Of processes of several containers two may have the same number.
  const isAlone = (pid: number) => running.filter((other) => other.pid === pid).length === 1;
  return await Promise.all(
    running.map(async (machine) => ({
      name: isAlone(machine.pid) ? String(machine.pid) : machine.name,
      label: await labelOf(machine),
    })),
  );
}

/** Null if it does not say, or ends meanwhile. */
async function labelOf(machine: RunningMachine): Promise<MachineLabel | null> {
  try {
    const answer = JSON.parse(await request(machine, Request.LABEL, LABEL_PATIENCE_MS)) as Answer;
    return "label" in answer ? answer.label : null;
  } catch {
    return null;
  }
}

/**
 * The machine to ask: the one whose process, or whose full name, is given; or the only one that runs.
 * @throws UsageError if there is none, or a choice.
 */
export async function chooseMachine(which: string | undefined): Promise<RunningMachine> {
  const running = await inFolder(listMachines);
  if (running.length === 0 && which === undefined) throw new UsageError(await whichRun(running));
  const chosen = running.filter(
    ({ pid, name }) => which === undefined || which === String(pid) || which === name,
  );
  if (chosen.length === 0)
    throw new UsageError(`process ${which} runs no machine; ${await whichRun(running)}`);
  if (chosen.length > 1)
    throw new UsageError(`which machine? ${await whichRun(chosen)}: say one of these numbers`);
  return chosen[0]!;
}

async function whichRun(running: readonly RunningMachine[]): Promise<string> {
  if (running.length === 0) return "no machine is running: start one with capos-smp run, up, bench or stress";
  const labels = (await withLabels(running)).map(({ name, label }) =>
    label === null ? name : `${name} (${visible(label.command.join(" "))})`,
  );
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
  const text = await request(machine, Request.STATE, PATIENCE_MS);
  let answer: Answer;
  try {
    answer = JSON.parse(text) as Answer;
  } catch {
    throw new MachineError(`the machine in process ${pid} ended before it answered`, ExitStatus.FAILED);
  }
  if ("state" in answer) return answer.state;
  const reason = "error" in answer ? answer.error : "it answered something else";
  throw new MachineError(`the machine in process ${pid} cannot say: ${reason}`, ExitStatus.FAILED);
}

async function request({ pid, name }: RunningMachine, what: Request, patienceMs: number): Promise<string> {
  const route = await inFolder(() => new SocketRoute());
  try {
    return await new Promise((resolve, reject) => {
      const socket = connect(route.to(name));
      let text = "";
      socket.setEncoding("utf8");
      socket.setTimeout(patienceMs, () => {
        socket.destroy(new MachineError(`the machine in process ${pid} does not answer`, ExitStatus.FAILED));
      });
      socket.on("connect", () => socket.write(`${what}\n`));
      socket.on("data", (more: string) => {
        text += more;
      });
      socket.on("end", () => resolve(text));
      socket.on("error", (error) => {
        reject(error instanceof MachineError ? error : whyNot(pid, name, error));
      });
    });
  } finally {
    route.close();
  }
}

/** Connects to a machine's door. @throws UsageError if it does not run any more; MachineError */
export async function connectTo({ pid, name }: RunningMachine): Promise<Socket> {
  const route = await inFolder(() => new SocketRoute());
  try {
    return await new Promise((resolve, reject) => {
      const socket = connect(route.to(name));
      socket.once("error", (error) => reject(whyNot(pid, name, error)));
      socket.once("connect", () => {
        socket.removeAllListeners("error").on("error", () => socket.destroy());
        resolve(socket);
      });
    });
  } finally {
    route.close();
  }
}

/** What an error of a connection is to people. */
function whyNot(pid: number, name: string, error: Error): UsageError | MachineError {
  if (!saysNobody(error)) return new MachineError(explain(pid, error), ExitStatus.FAILED);
  removeFile(name);
  return new UsageError(`process ${pid} runs no machine any more`);
}

function explain(pid: number, error: Error): string {
  return `the machine in process ${pid} cannot be asked: ${error.message}`;
}
