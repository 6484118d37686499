/** Says that it runs, and ends. */
import { parentPort } from "node:worker_threads";

parentPort?.postMessage(0);
