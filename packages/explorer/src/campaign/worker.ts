/** A worker of the pool: keeps the program and the scenario that it was last asked about. */
import type { Program } from "../transform/program.js";
import type { Opener } from "./catalogue.js";
import { Desk } from "./desk.js";
import type { Reply, Task } from "./tasks.js";

let last: { readonly key: string; readonly program: Program } | null = null;
let open: { readonly key: string; readonly desk: Desk } | null = null;

/** Piscina calls it for each task. Never rejects: an error's class and properties would be lost. */
export default async function work(task: Task): Promise<Reply<Task["kind"]>> {
  try {
    const opener = (await import(task.opener)) as Opener;
    const programKey = JSON.stringify([task.opener, task.mutant]);
    if (task.kind === "prepare") {
      last = { key: programKey, program: await opener.prepareProgram(task.mutant) };
      return { answer: last.program };
    }
    if (last?.key !== programKey) {
      if (task.program === undefined) return { lacksProgram: true };
      last = { key: programKey, program: task.program };
    }
    const key = JSON.stringify([programKey, task.scenario]);
    if (open?.key !== key) {
      // The old machine's memory goes before there is a new one.
      open = null;
      open = { key, desk: new Desk(opener.openScenario(task.scenario, last.program)) };
    }
    return { answer: open.desk.perform(task) };
  } catch (error) {
    open = null;
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    return { thrown: { name, message, stack: stack ?? message } };
  }
}
