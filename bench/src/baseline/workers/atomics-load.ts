/** One `Atomics.load`: the unit in which a look at a word that another core writes is paid. */
import { emptyBatch, measureAndReport } from "../driver.js";
import { allocateSharedWords, PING, viewSharedWords } from "../shared-words.js";

const words = viewSharedWords(allocateSharedWords());

await measureAndReport((count) => {
  let sum = 0;
  for (let i = 0; i < count; i++) sum = (sum + Atomics.load(words, PING)) | 0;
  return sum;
}, emptyBatch);
