/** An application that starts programs, and ends them. */
import { boot, MachineError } from "capos";

const file = (name) => new URL(name, import.meta.url).pathname;

let printed;
const waiting = new Promise((resolve) => {
  printed = resolve;
});
// Nothing is typed, and the input has no end: whoever reads waits.
const machine = await boot({
  cores: 2,
  memoryMiB: 64,
  onConsole: printed,
  onInput: () => new Promise(() => {}),
});

const late = await machine.run(file("waits.mjs"), { timeoutMs: 100 });
console.log(late.status, late.fault);

const program = machine.spawn(file("waits.mjs"), { cores: [1], priority: 50, untyped: 2 ** 16 });
await waiting;
await program.kill();
console.log((await program.status).state);

const abort = new AbortController();
const run = machine.run(file("waits.mjs"), { signal: abort.signal });
abort.abort(new Error("enough"));
await run.catch((error) => console.log(error.message));

await machine.halt();
await machine
  .run(file("waits.mjs"))
  .catch((error) => console.log(error instanceof MachineError, error.message));
