/** Deferred replies: who takes from an empty queue is answered when somebody has put something in. */
import {
  DEFERRED,
  Endpoint,
  type Os,
  protocol,
  type SavedReply,
  type Sys,
  spawnThread,
  start,
  text,
} from "capos/guest";

const Queue = protocol("queue", {
  put: { request: { item: text }, reply: {} },
  /** Answered once there is an item. */
  take: { request: {}, reply: { item: text } },
});

function* server(os: Os) {
  const items: string[] = [];
  const taking: SavedReply<{ readonly item: string }>[] = [];
  yield* Queue.serve(
    os.sys,
    os.handed[0]!,
    {
      *put({ item }) {
        const first = taking.shift();
        if (first === undefined) items.push(item);
        else yield* first.answer({ item });
      },
      *take(_, context) {
        const item = items.shift();
        if (item !== undefined) return { item };
        taking.push(yield* context.defer());
        return DEFERRED;
      },
    },
    // Where the replies are kept.
    { slots: os.slots },
  );
}

function* producer(os: Os) {
  const queue = Queue.client(os.sys, os.handed[0]!);
  for (const item of ["one", "two", "three"]) yield* queue.put({ item });
}

export default function* main(sys: Sys) {
  const os = start(sys);
  if (os.args[0] === "server") return yield* server(os);
  if (os.args[0] === "producer") return yield* producer(os);

  const endpoint = yield* os.cspace.make(Endpoint);
  for (const [i, role] of ["server", "producer"].entries())
    yield* spawnThread(os, { core: (i + 1) % os.cores, args: [role], handed: [endpoint.handle] });
  const queue = Queue.client(sys, endpoint);
  for (let i = 0; i < 3; i++) yield* os.print(`took ${(yield* queue.take()).item}`);
  return 0;
}
