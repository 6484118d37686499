/** Two threads on two cores: thread 0 asks, thread 1 answers. */
import { Echo, type Sys, spawnThread, start } from "@capos/libos";

const ROUNDS = 1000;

export default function* main(sys: Sys) {
  const os = start(sys);
  if (os.threadIndex === 1) {
    const [endpoint] = os.handed;
    yield* Echo.serve(sys, endpoint, { ping: (request) => request, say: (_, context) => context.end() });
    return 0;
  }
  const endpoint = yield* os.endpoint();
  yield* spawnThread(os, { core: (os.core + 1) % os.cores, handed: [endpoint] });
  const echo = Echo.client(sys, endpoint);
  let value = 0;
  while (value < ROUNDS) value = (yield* echo.ping({ value })).value + 1;
  yield* echo.say({ text: "that was all" });
  yield* os.print(`${ROUNDS} round trips`);
  return 0;
}
