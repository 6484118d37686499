/** Spins until the peer has echoed each number: the least that two cores need for a word each way. */
import { crewData, emptyBatch, measureAndReport } from "../driver.js";
import { BALLS, PING, PONG, REST, type SharedWords, viewSharedWords } from "../shared-words.js";

const words = viewSharedWords(crewData<SharedWords>());
let ball = 0;

await measureAndReport(
  (count) => {
    for (let i = 0; i < count; i++) {
      ball = (ball + 1) & BALLS;
      Atomics.store(words, PING, ball);
      while (Atomics.load(words, PONG) !== ball);
    }
    return ball;
  },
  emptyBatch,
  {
    // The ball that the peer has: it has nothing to answer.
    begin: () => {
      Atomics.store(words, PING, ball);
      Atomics.notify(words, PING);
    },
    rest: () => void Atomics.store(words, PING, REST),
  },
);
