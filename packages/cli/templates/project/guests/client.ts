/** A client: counts as far as its first argument says. Is there a second, it tells whom that names, and counts on. */
import { type Sys, start } from "capos/guest";
import { Counter, Owner } from "./protocols.js";

export default function* main(sys: Sys) {
  const os = start(sys);
  const [times = "5", owner] = os.args;
  const counters = Counter.client(sys, yield* os.names.wait("counter"), os.slots);
  const { counter } = yield* counters.open();
  let value = 0;
  for (let i = 0; i < Number(times); i++) ({ value } = yield* counter.add({ amount: 1 }));
  yield* os.print(`counted to ${value}`);
  if (owner === undefined) return 0;

  yield* Owner.client(sys, yield* os.names.wait(owner)).counted({ value });
  yield* counter.add({ amount: 1 });
  return 0;
}
