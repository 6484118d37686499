/**
 * The process in which calls are made: ends the thread whose call does not come back, and itself if that cannot be ended.
 *
 * Arguments: the file for names, the image's file, the seed, the first position and the one behind the last.
 */
import { openSync, readFileSync } from "node:fs";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { CoreArea, nowNs, Patience, threadTime } from "@capos/hal";
import { AREA, type CallerData, Phase, type Report, Word } from "./protocol.js";

/** What is at one thing for longer is told so, and then ended. On a busy host this comes early, which does no harm. */
const TOLD_AFTER_MS = 100;
const ENDED_AFTER_MS = 250;
/** From there to its exit a thread has this long, in milliseconds of its work: see hal/src/host/core-pool.ts. */
const EXIT_LIMIT_MS = 1000;
/** After so much there is no hope. */
const HOPELESS_MS = 20_000;
const LOOK_MS = 20;
const LIMITS = Object.freeze({ maxOldGenerationSizeMb: 4096, maxYoungGenerationSizeMb: 32, stackSizeMb: 2 });

const [names, image, seed, first, end] = process.argv.slice(2) as [string, string, string, string, string];
const file = openSync(names, "w+");
const code = readFileSync(image, "utf8");

// Who started this is gone, and nobody hears what is found.
process.stdin.resume().on("end", () => process.kill(process.pid, "SIGKILL"));

let position = Number(first);
let total = Number.POSITIVE_INFINITY;
while (position < Math.min(Number(end), total)) position = await goOn(position);
say({ reached: Math.min(position, total), total });
process.stdin.destroy();

function say(report: Report): void {
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

/** Makes calls from a position on, and answers where the next worker has to begin. */
async function goOn(from: number): Promise<number> {
  const words = new SharedArrayBuffer(Word.COUNT * 4);
  const shared = new Int32Array(words);
  const data: CallerData = { code, seed: Number(seed), from, words, file };
  const worker = new Worker(new URL("./worker.js", import.meta.url), {
    workerData: data,
    resourceLimits: LIMITS,
    execArgv: [],
    env: {},
  });
  let failure: unknown = null;
  worker.on("error", (error) => {
    failure = error;
  });
  let watched = -1;
  let since = 0;
  let said = performance.now();
  while (worker.threadId !== -1) {
    await sleep(LOOK_MS);
    const now = performance.now();
    const at = Atomics.load(shared, Word.POSITION);
    if (Atomics.load(shared, Word.TOTAL) > 0) total = Atomics.load(shared, Word.TOTAL);
    if (Atomics.load(shared, Word.PHASE) !== Phase.CALLS || at !== watched) {
      watched = Atomics.load(shared, Word.PHASE) === Phase.CALLS ? at : -1;
      since = now;
      if (at >= Number(end)) {
        await worker.terminate();
        return at;
      }
      if (now - said > 5000) {
        said = now;
        say({ reached: at, total });
      }
    } else if (now - since > ENDED_AFTER_MS) {
      await endThread(worker, shared[Word.THREAD]!, at);
      return at + 1;
    } else if (now - since > TOLD_AFTER_MS) {
      Atomics.store(shared, Word.MEMORY + AREA + CoreArea.SPENT, 1);
    }
  }
  if (Atomics.load(shared, Word.PHASE) === Phase.OVER) return total;
  const at = Atomics.load(shared, Word.POSITION);
  broken(at, `its thread ended: ${failure instanceof Error ? failure.message : String(failure)}`);
  return at + 1;
}

/** Ends the thread in the midst of a call. */
async function endThread(worker: Worker, thread: number, at: number): Promise<void> {
  const patience = new Patience(() => threadTime(thread));
  patience.begin(nowNs());
  void worker.terminate();
  let isLate = false;
  while (worker.threadId !== -1) {
    await sleep(LOOK_MS);
    const now = nowNs();
    isLate ||= patience.isOver(now, EXIT_LIMIT_MS);
    if (!patience.isOver(now, HOPELESS_MS)) continue;
    broken(at, "cannot be ended");
    process.kill(process.pid, "SIGKILL");
  }
  if (isLate) broken(at, `works on for more than ${EXIT_LIMIT_MS} ms when it is ended`);
}

function broken(at: number, how: string): void {
  const [, name] = /^\d+ (.*?) *$/.exec(readFileSync(names, "utf8"))!;
  say({ broken: { position: at, name: name!, how } });
}
