/** Adds its first argument to a tally. */
import { IpcError, type Sys, start } from "capos/guest";
import { Counting } from "./counting.js";

export default function* main(sys: Sys) {
  const os = start(sys);
  const tally = Counting.client(sys, os.handed[0]!);
  const amount = Number(os.args[0]);
  try {
    yield* os.print(`${amount} more make ${(yield* tally.add({ amount })).count}`);
  } catch (error) {
    if (!(error instanceof IpcError)) throw error;
    yield* os.print(error.message);
  }
  return 0;
}
