/** Two threads on two cores: thread 0 asks, thread 1 answers. */
import { Echo, type Sys, spawnThread, start } from "capos/guest";

export default function* main(sys: Sys) {
  const os = start(sys);
  if (os.threadIndex === 1) return yield* Echo.serve(sys, os.handed[0]!, { ping: (ball) => ball, say() {} });
  const endpoint = yield* os.endpoint();
  yield* spawnThread(os, { core: (os.core + 1) % os.cores, handed: [endpoint] });
  const echo = Echo.client(sys, endpoint);
  for (let value = 0; value < 1000; value++) yield* echo.ping({ value });
  yield* os.print("1000 round trips");
  return 0;
}
