/** Runs a trivial task on a pool of one thread, a task at a time. */
import { Piscina } from "piscina";
import { emptyAsyncBatch, measureAndReport } from "../driver.js";

const filename = new URL("./piscina-task.js", import.meta.url).href;
const pool = new Piscina<number[], number>({ filename, minThreads: 1, maxThreads: 1 });

await measureAndReport(async (count) => {
  let sum = 0;
  for (let i = 0; i < count; i++) sum = await pool.run([sum & 0xffff, 2, 3, 4]);
  return sum;
}, emptyAsyncBatch);
await pool.destroy();
