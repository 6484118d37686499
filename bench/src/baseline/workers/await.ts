/** `await` of an async function that has its answer at once: one turn of the microtask queue. */
import { emptyAsyncBatch, measureAndReport } from "../driver.js";

async function increment(value: number): Promise<number> {
  return (value + 1) | 0;
}

await measureAndReport(async (count) => {
  let value = 0;
  for (let i = 0; i < count; i++) value = await increment(value);
  return value;
}, emptyAsyncBatch);
