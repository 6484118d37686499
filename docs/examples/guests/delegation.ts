/** Revocable delegation: a process is lent a capability and lends it on; when its owner takes it back, nobody has it. */
import {
  type Client,
  DEFERRED,
  Endpoint,
  type MethodsOf,
  type Os,
  protocol,
  type SavedReply,
  type Sys,
  spawnProcess,
  spawnThread,
  start,
  text,
} from "capos/guest";

const Diary = protocol("diary", {
  read: { request: {}, reply: { text } },
});

const Owner = protocol("owner", {
  /** What a reader has found. Answered when it may look again. */
  found: { request: { who: text, what: text }, reply: {} },
});

function* look(diary: Client<MethodsOf<typeof Diary>>) {
  try {
    return (yield* diary.read()).text;
  } catch (error) {
    return String(error);
  }
}

function* reader(os: Os) {
  const [diary, owner] = os.handed as [number, number];
  const who = os.args[0]!;
  // Nobody has to ask the owner: a copy of the copy is taken back with it.
  if (who === "borrower")
    yield* spawnProcess(os, {
      name: "reader",
      args: ["friend"],
      threads: 1,
      gifts: [{ handle: diary }, { handle: owner }],
    });
  for (let i = 0; i < 2; i++)
    yield* Owner.client(os.sys, owner).found({ who, what: yield* look(Diary.client(os.sys, diary)) });
}

export default function* main(sys: Sys) {
  const os = start(sys);
  const { cspace, slots } = os;
  if (os.name === "reader") return yield* reader(os);
  if (os.threadIndex === 1)
    return yield* Diary.serve(sys, os.handed[0]!, { read: () => ({ text: "Monday: rain" }) });

  const shelf = yield* cspace.make(Endpoint);
  const home = yield* cspace.make(Endpoint);
  yield* spawnThread(os, { handed: [shelf.handle] });
  const mine = yield* cspace.offer(Diary, shelf, 1);
  const lent = yield* cspace.copy(mine);
  yield* spawnProcess(os, {
    name: "reader",
    core: (os.core + 1) % os.cores,
    args: ["borrower"],
    gifts: [lent, yield* cspace.offer(Owner, home, 1)],
    // It starts a process of its own, from memory of its own.
    memoryBits: 18,
  });

  for (const when of ["lent", "taken back"]) {
    const found: string[] = [];
    const replies: SavedReply<object>[] = [];
    yield* Owner.serve(
      sys,
      home,
      {
        *found({ who, what }, context) {
          found.push(`${who}: ${what}`);
          replies.push(yield* context.defer());
          if (found.length === 2) context.end();
          return DEFERRED;
        },
      },
      { slots },
    );
    yield* os.print(`${when}: ${found.sort().join(" · ")}`);
    yield* cspace.revoke(lent);
    for (const reply of replies) yield* reply.answer({});
  }
  yield* os.print(`mine: ${yield* look(mine)}`);
  return 0;
}
