/** A proxy: what its client takes for the name service counts, refuses some of it, and hands on what it is given. */
import {
  Echo,
  Endpoint,
  Err,
  IpcError,
  Monitor,
  Names,
  Notification,
  namesClient,
  type Os,
  type Sys,
  spawnProcess,
  start,
  Thread,
} from "capos/guest";

/** Knows nothing of a proxy: it was given names, and uses them. */
function* client(os: Os) {
  const names = namesClient(os.sys, os.handed[0]!, os.slots);
  const echo = Echo.client(os.sys, yield* names.lookup("echo"));
  // The capability was handed on: these calls go straight to the server.
  for (let value = 1; value <= 3; value++) yield* echo.ping({ value });
  yield* os.print(`echo answers ${(yield* echo.ping({ value: 4 })).value}`);
  try {
    yield* names.lookup("log");
  } catch (error) {
    yield* os.print(String(error));
  }
}

export default function* main(sys: Sys) {
  const os = start(sys);
  if (os.name === "client") return yield* client(os);

  const { cspace, slots } = os;
  const endpoint = yield* cspace.make(Endpoint);
  const names = yield* cspace.offer(Names, endpoint, 1);
  const child = yield* spawnProcess(os, { name: "client", gifts: [names] });

  // Its end ends the wait for requests too.
  const ended = yield* cspace.make(Notification);
  yield* cspace.as(Thread, os.environment.thread, ["write"]).bind(ended);
  yield* (yield* cspace.make(Monitor)).watch(child.process, ended);

  const real = Names.client(sys, os.environment.names, slots);
  const asked: string[] = [];
  yield* Names.serve(
    sys,
    endpoint,
    {
      // A client has what handlers are: a method each. What is not told otherwise is passed on as it is.
      ...real,
      *lookup({ name }) {
        asked.push(name);
        if (name !== "echo") throw new IpcError(Err.DENIED, "lookup");
        const { endpoint: found } = yield* real.lookup({ name });
        return { endpoint: { capability: found, move: true } };
      },
    },
    { slots, onNotification: (_, context) => context.end() },
  );
  yield* os.print(`asked for ${asked.join(", ")}`);
  return 0;
}
