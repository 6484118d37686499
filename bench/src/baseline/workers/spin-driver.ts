/** Spins until the peer has echoed each number: the least that two cores need for a word each way. */
import { crewData, emptyBatch, measureAndReport } from "../driver.js";
import { PING, PONG, type SharedWords, viewSharedWords } from "../shared-words.js";

const words = viewSharedWords(crewData<SharedWords>());
let ball = 0;

await measureAndReport((count) => {
  for (let i = 0; i < count; i++) {
    ball = (ball + 1) | 0;
    Atomics.store(words, PING, ball);
    while (Atomics.load(words, PONG) !== ball);
  }
  return ball;
}, emptyBatch);
