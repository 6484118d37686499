/** Notifications: bits that anybody may set and one thread waits for. No data, no answer, and nobody is kept waiting. */
import {
  Endpoint,
  Notification,
  type NotificationContext,
  protocol,
  type Sys,
  spawnThread,
  start,
  Thread,
  u32,
} from "capos/guest";

const Progress = protocol("progress", {
  /** So much of the work is done. */
  report: { request: { percent: u32 }, reply: {} },
});

const DONE = 1;

export default function* main(sys: Sys) {
  const os = start(sys);
  const { cspace } = os;

  if (os.threadIndex > 0) {
    // A thread finds in `handed` what its spawner gave it: a bit of the notification, and a server.
    const [bit, server] = os.handed;
    if (server !== undefined) {
      const progress = Progress.client(sys, server);
      for (const percent of [50, 100]) yield* progress.report({ percent });
    }
    yield* cspace.as(Notification, bit!, ["send"]).signal();
    return 0;
  }

  // Part 1: wait until each of three threads has set its bit.
  const news = yield* cspace.make(Notification);
  for (const bit of [1, 2, 4]) {
    const signal = yield* cspace.mint(news, bit, ["send"]);
    yield* spawnThread(os, { core: 1 + (bit % (os.cores - 1)), handed: [signal.handle] });
  }
  let seen = 0;
  // What was signalled before the wait is not lost: the bits are there until somebody takes them.
  while (seen !== 7) seen |= yield* news.wait();
  yield* os.print(`all bits: ${seen}`);

  // Part 2: a server that is told of something else while it waits for requests.
  const done = yield* cspace.make(Notification);
  const endpoint = yield* cspace.make(Endpoint);
  yield* cspace.as(Thread, os.environment.thread, ["write"]).bind(done);
  const signal = yield* cspace.mint(done, DONE, ["send"]);
  const server = yield* cspace.offer(Progress, endpoint, 1);
  yield* spawnThread(os, { handed: [signal.handle, server.handle] });
  yield* Progress.serve(
    sys,
    endpoint,
    { report: ({ percent }) => os.print(`${percent} % done`) },
    {
      *onNotification(bits: number, context: NotificationContext) {
        yield* os.print(`told of bit ${bits}`);
        context.end();
      },
    },
  );
  return 0;
}
