/** A server: gives away counters, and takes them back. */
import { Objects, type Sys, start } from "capos/guest";
import { Counter } from "./protocols.js";

export default function* main(sys: Sys) {
  const os = start(sys);
  const endpoint = yield* os.endpoint();
  const counters = new Objects<typeof Counter, { value: number }>(os.cspace, Counter, endpoint);
  const all: { value: number }[] = [];
  yield* os.names.register("counter", yield* counters.entrance());
  yield* Counter.serve(
    sys,
    endpoint,
    {
      *open() {
        const counter = { value: 0 };
        all.push(counter);
        return { counter: yield* counters.mint(counter, ["write"]) };
      },
      add({ amount }, { object }) {
        object.value += amount;
        return { value: object.value };
      },
      total: () => ({ value: all.reduce((sum, { value }) => sum + value, 0) }),
      *takeBack() {
        for (const counter of all) yield* counters.close(counter);
      },
    },
    { slots: os.slots, objects: counters },
  );
  return 0;
}
