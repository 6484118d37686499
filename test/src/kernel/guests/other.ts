/** An image besides the one that is tested: ends at once with a status of its own, or when it is told to; or never. */
import type { Sys } from "@capos/abi";
import { environment } from "@capos/libos";

export default function* main(sys: Sys): Generator<number, number, number> {
  // A thread without an environment ends with what it is told.
  if (sys.startWords === 1) return sys.words[0];
  const { args, handed, threadIndex } = environment(sys);
  if (args[0] === "wait" && threadIndex === 0) yield sys.wait(handed[0]);
  if (args[0] === "stay") for (;;) yield sys.yield();
  return 42;
}
