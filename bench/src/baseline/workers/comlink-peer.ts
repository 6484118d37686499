/** Serves one method, until the host ends it. */
import type { MessagePort } from "node:worker_threads";
import { expose } from "comlink";
import nodeEndpoint from "comlink/dist/esm/node-adapter.mjs";
import { crewData } from "../driver.js";

const adder = {
  async add(a: number, b: number, c: number, d: number): Promise<number> {
    return a + b + c + d;
  },
};

export type Adder = typeof adder;

expose(adder, nodeEndpoint(crewData<{ port: MessagePort }>().port));
