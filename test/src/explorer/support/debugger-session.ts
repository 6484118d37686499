/**
 * A debugger for the thread that starts this worker: attaches to it, steps into the first place where it stops,
 * and tells what it saw.
 */
import { type Debugger, Session } from "node:inspector";
import { parentPort } from "node:worker_threads";

const session = new Session();
const stops: string[] = [];

// A session alone does not keep its thread alive.
parentPort!.on("message", () => {});
session.connectToMainThread();
session.on("Debugger.paused", ({ params }: { params: Debugger.PausedEventDataType }) => {
  stops.push(params.callFrames[0].functionName);
  if (stops.length < 3) session.post("Debugger.stepInto");
  else {
    session.post("Debugger.resume");
    parentPort!.postMessage(stops);
    session.disconnect();
  }
});
session.post("Debugger.enable", () => parentPort!.postMessage("attached"));
