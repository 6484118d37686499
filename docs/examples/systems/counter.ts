/** Counts for whoever asks. */
import { type Sys, start } from "capos/guest";
import { Counting } from "./counting.js";

export default function* main(sys: Sys) {
  const os = start(sys);
  const endpoint = yield* os.endpoint();
  yield* os.names.register("counter", endpoint);
  let count = 0;
  yield* os.print("ready");
  yield* Counting.serve(sys, endpoint, {
    add({ amount }) {
      count += amount;
      return { count };
    },
  });
  return 0;
}
