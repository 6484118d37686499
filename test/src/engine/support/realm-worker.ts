/**
 * Programs in a hardened realm, each list of them in a worker of its own, which never shares its realm.
 */
import process from "node:process";
import { Worker } from "node:worker_threads";

export const REALM = new URL("./realm.js", import.meta.resolve("@capos/engine/generator")).href;
const OVERRIDES = new URL("./overrides.js", REALM).href;
/** For all statements of one worker together, on a busy host; what they must not do takes far longer. */
const TIME_LIMIT_MS = 600_000;
const TERMINATION_LIMIT_MS = 60_000;

export interface Outcome {
  /** What the statements returned, as far as it can be posted. */
  value?: unknown;
  /** What `faultOf` says of what they threw. */
  fault?: { text: string; line: number; column: number };
}

/** In the worker: the body of a guest's program, with `sys` for what a guest is given. */
const RUNNER = `
  import { parentPort, workerData } from "node:worker_threads";
  const { hardenRealm, compileProgram, faultOf } = await import(workerData.realm);
  const { assignKept } = await import(workerData.overrides);
  let work = 0;
  hardenRealm(() => { work++; });
  const intrinsics = { Function, Promise, ArrayBuffer, SharedArrayBuffer, Float64Array, Atomics, WebAssembly, process, compileProgram };
  for (const body of workerData.bodies) {
    parentPort.postMessage({ body });
    const outcome = {};
    try {
      const isImage = body.startsWith("(function(");
      const code = isImage ? body : "(function($tick, $tickMain, $caught) {\\n" + body + "\\n})";
      const program = compileProgram(code, "the test's/guest.ts");
      if (isImage) {
        const guest = program(() => {}, () => true, () => {}, (iterable) => iterable, assignKept, () => {}, () => {})({});
        outcome.value = { yielded: 0 };
        for (let step = guest.next(); ; step = guest.next(), outcome.value.yielded++) {
          if (step.done) { outcome.value.returned = step.value; break; }
        }
      } else {
      const words = Object.setPrototypeOf(new Float64Array(64), null);
      globalThis.given = { words, intrinsics, work: () => work };
      outcome.value = program(globalThis.given, () => false, () => {});
      }
    } catch (error) {
      outcome.fault = faultOf(error);
    }
    try {
      parentPort.postMessage({ outcome });
    } catch {
      parentPort.postMessage({ outcome: { ...outcome, value: "something that cannot be posted" } });
    }
  }
`;

/** Runs bodies of programs one after the other in one hardened worker. `$tick` is the object \`given\` of the runner. */
export async function inRealm(bodies: string[], realm = REALM): Promise<Outcome[]> {
  const url = new URL(`data:text/javascript,${encodeURIComponent(RUNNER)}`);
  // Without the hooks that tap puts into its own process: they cost most of a second.
  const worker = new Worker(url, {
    workerData: { bodies, realm, overrides: OVERRIDES },
    execArgv: [],
    env: {},
  });
  const outcomes: Outcome[] = [];
  let running = "nothing";
  const ended = new Promise<void>((resolve, reject) => {
    worker.on("message", (message: { body?: string; outcome?: Outcome }) => {
      if (message.body !== undefined) running = message.body;
      if (message.outcome !== undefined) outcomes.push(message.outcome);
    });
    worker.on("error", reject);
    worker.on("exit", () => resolve());
  });
  const guard = setTimeout(() => {
    // What hangs a worker for good would hang this process too, at its exit.
    setTimeout(() => {
      process.stderr.write(`cannot be terminated: ${running}\n`);
      process.kill(process.pid, "SIGKILL");
    }, TERMINATION_LIMIT_MS).unref();
    void worker.terminate();
  }, TIME_LIMIT_MS);
  await ended;
  clearTimeout(guard);
  if (outcomes.length < bodies.length) throw new Error(`did not end: ${running}`);
  return outcomes;
}

export async function inRealmOne(body: string): Promise<Outcome> {
  return (await inRealm([body]))[0];
}
