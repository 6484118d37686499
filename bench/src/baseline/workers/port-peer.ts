/** Posts back whatever arrives, until the host ends it. */
import type { MessagePort } from "node:worker_threads";
import { crewData } from "../driver.js";

const { port } = crewData<{ port: MessagePort }>();
port.on("message", (words: number[]) => port.postMessage(words));
