/** Has the counter count, as often as its argument says. */
import { type Sys, start } from "capos/guest";
import { Counting } from "./counting.js";

export default function* main(sys: Sys) {
  const os = start(sys);
  const counter = Counting.client(sys, yield* os.names.wait("counter"));
  let seen = 0;
  for (let i = 0; i < Number(os.args[0] ?? 1); i++) seen = (yield* counter.add({ amount: 1 })).count;
  yield* os.print(`counted to ${seen} on core ${os.core}`);
  return 0;
}
