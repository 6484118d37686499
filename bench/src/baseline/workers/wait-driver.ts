/** Like spin-driver, but asleep in the kernel of the host until the peer has echoed the number. */
import { crewData, emptyBatch, measureAndReport } from "../driver.js";
import { PING, PONG, type SharedWords, viewSharedWords } from "../shared-words.js";

const words = viewSharedWords(crewData<SharedWords>());
let ball = 0;

await measureAndReport((count) => {
  for (let i = 0; i < count; i++) {
    const previous = ball;
    ball = (ball + 1) | 0;
    Atomics.store(words, PING, ball);
    Atomics.notify(words, PING, 1);
    while (Atomics.load(words, PONG) === previous) Atomics.wait(words, PONG, previous);
  }
  return ball;
}, emptyBatch);
