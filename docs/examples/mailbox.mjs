/** A mailbox for one letter. Who finds it full, or empty, sleeps until it is not. */
const FULL = 0;
const LETTER = 1;

export function sender({ i32 }) {
  for (const letter of [7, 8]) {
    while (Atomics.load(i32, FULL) === 1) Atomics.wait(i32, FULL, 1);
    i32[LETTER] = letter;
    Atomics.store(i32, FULL, 1);
    Atomics.notify(i32, FULL);
  }
}

export function receiver({ i32 }) {
  const letters = [];
  while (letters.length < 2) {
    while (Atomics.load(i32, FULL) === 0) Atomics.wait(i32, FULL, 0);
    letters.push(i32[LETTER]);
    Atomics.store(i32, FULL, 0);
    Atomics.notify(i32, FULL);
  }
  return letters.join();
}
