/** What the rows measure, a line each, for who chooses among them. How: docs/benchmarks.md. */
import { familyOf } from "./rows.js";

/** By the name of a row, or of what rows are called together that differ by a number at the end. */
const DESCRIPTIONS: Readonly<Record<string, string>> = Object.freeze({
  "call.same-core": "call and reply, 4 words, on one core",
  "call.cross-core": "the same between two cores that poll",
  "call.cross-core.parked": "the same; the receiver's core is halted before each call",
  "call.cross-core.busy": "the same; the receiver's core runs another guest",
  "call.pairs": "that many pairs that call, each on a core of its own; all calls together",
  "call.words": "call and reply on one core, that many words each way",
  "notify.same-core": "from a signal to who waits for it, on one core",
  "notify.cross-core": "the same between two cores",
  yield: "from one thread to the next on a core",
  "null-trap": "into the kernel and back",
  "thread.create-destroy": "a thread's whole life",
  "host.call": "an application's call of a guest, and the answer",
  boot: "from power to init, with that many cores",
  lookup: "the checks of a capability that was used before",
  "lookup.fresh": "the checks of a capability, from its handle",
  copy: "a capability copied",
  mint: "a capability copied with a badge",
  move: "a capability moved to another slot",
  delete: "a copy deleted",
  retype: "an object made from memory",
  "retype.batch": "the same, 64 at once",
  "transfer.window": "call and reply that give a copy of a capability to another process",
  "transfer.single-slot": "the same into one slot, emptied each time",
  "revoke.by-descendants": "a revoke that ends that many copies",
  "revoke.chain": "a revoke that ends a chain of that many copies of copies",
  "revoke.by-holders": "a revoke of 1,000 copies that so many processes hold, on as many cores",
  "revoke.under-load": "a revoke of 1,000 copies while others call",
  "grace-period.idle": "a grace period; the other cores are halted",
  "grace-period.guests": "a grace period; the other cores run guests that do not trap",
  "grace-period.traps": "a grace period; the other cores run guests that trap all the time",
  "process.create-kill": "a process's whole life",
  "generator-switch": "two bare switches of generators: the floor of a call",
  await: "await of an async function",
  "atomics-load": "one Atomics.load",
  "sab-spin": "two workers that spin on shared words, there and back",
  "atomics-wait": "the same with Atomics.wait and notify",
  "message-port": "a message to a worker and back",
  comlink: "a method call to a worker with comlink",
  piscina: "a task with piscina",
  "workers-empty": "that many empty workers, until all have said hello",
  "top.call.pairs": "call.pairs with somebody watching",
  "trace.absent": "call.same-core without trace points, twice in turn: the noise",
  "trace.silent": "call.same-core with trace points and no event on",
  "trace.usual": "call.same-core traced as usual",
  "trace.words": "call.same-core traced with the words of messages",
});

/** What a row measures, in a line; empty for a row that there is not. */
export function describeRow(name: string): string {
  return DESCRIPTIONS[name] ?? DESCRIPTIONS[familyOf(name)] ?? "";
}
