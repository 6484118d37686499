/** Echoes each number it sees, until the host ends it; asleep while it is told to rest. */
import { crewData } from "../driver.js";
import { PING, PONG, REST, type SharedWords, viewSharedWords } from "../shared-words.js";

function echo(words: Int32Array): never {
  let ball = 0;
  for (;;) {
    let seen = Atomics.load(words, PING);
    while (seen === ball) seen = Atomics.load(words, PING);
    if (seen === REST) {
      Atomics.wait(words, PING, REST);
      continue;
    }
    ball = seen;
    Atomics.store(words, PONG, ball);
  }
}

echo(viewSharedWords(crewData<SharedWords>()));
