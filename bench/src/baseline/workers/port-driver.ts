/** Posts four numbers and waits for them to come back, with no promise per message. */
import type { MessagePort } from "node:worker_threads";
import { crewData, emptyAsyncBatch, measureAndReport } from "../driver.js";

const { port } = crewData<{ port: MessagePort }>();
let left = 0;
let finish: (answer: number) => void = () => {};

port.on("message", (words: number[]) => {
  if (--left > 0) port.postMessage(words);
  else finish(words[0]);
});

await measureAndReport(
  (count) =>
    new Promise((resolve) => {
      left = count;
      finish = resolve;
      port.postMessage([count, 2, 3, 4]);
    }),
  emptyAsyncBatch,
);
