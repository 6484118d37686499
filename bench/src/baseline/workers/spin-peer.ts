/** Echoes each number it sees, until the host ends it. */
import { crewData } from "../driver.js";
import { PING, PONG, type SharedWords, viewSharedWords } from "../shared-words.js";

function echo(words: Int32Array): never {
  let ball = 0;
  for (;;) {
    let seen = Atomics.load(words, PING);
    while (seen === ball) seen = Atomics.load(words, PING);
    ball = seen;
    Atomics.store(words, PONG, ball);
  }
}

echo(viewSharedWords(crewData<SharedWords>()));
