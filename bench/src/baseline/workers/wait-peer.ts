/** Echoes each number it is woken for, until the host ends it. */
import { crewData } from "../driver.js";
import { PING, PONG, type SharedWords, viewSharedWords } from "../shared-words.js";

function echo(words: Int32Array): never {
  let ball = 0;
  for (;;) {
    while (Atomics.load(words, PING) === ball) Atomics.wait(words, PING, ball);
    ball = Atomics.load(words, PING);
    Atomics.store(words, PONG, ball);
    Atomics.notify(words, PONG, 1);
  }
}

echo(viewSharedWords(crewData<SharedWords>()));
