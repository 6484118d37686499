/** Calls one async method with four numbers, a call at a time. */
import type { MessagePort } from "node:worker_threads";
import { wrap } from "comlink";
import nodeEndpoint from "comlink/dist/esm/node-adapter.mjs";
import { crewData, emptyAsyncBatch, measureAndReport } from "../driver.js";
import type { Adder } from "./comlink-peer.js";

const { port } = crewData<{ port: MessagePort }>();
const remote = wrap<Adder>(nodeEndpoint(port));

await measureAndReport(async (count) => {
  let sum = 0;
  for (let i = 0; i < count; i++) sum = await remote.add(sum & 0xffff, 2, 3, 4);
  return sum;
}, emptyAsyncBatch);
