/** Counts for whoever was given its endpoint. */
import { type Sys, start } from "capos/guest";
import { Counting } from "./counting.js";

export default function* main(sys: Sys) {
  const os = start(sys);
  let count = 0;
  yield* Counting.serve(sys, os.handed[0]!, {
    add({ amount }) {
      if (amount > 1000) throw new Error(`${amount} is too much`);
      count += amount;
      return { count };
    },
  });
  return 0;
}
