/** comlink ships these types beside its `.mjs` under a name that NodeNext does not look for. */
declare module "comlink/dist/esm/node-adapter.mjs" {
  import type { MessagePort, Worker } from "node:worker_threads";
  import type { Endpoint } from "comlink";

  export default function nodeEndpoint(endpoint: MessagePort | Worker): Endpoint;
}
