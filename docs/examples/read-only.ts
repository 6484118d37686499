/** Notes that are capabilities: thread 1 keeps them, thread 0 writes one and lends it to be read. */
import {
  type Capability,
  Endpoint,
  Objects,
  own,
  protocol,
  type Sys,
  spawnThread,
  start,
  text,
} from "capos/guest";

const Notes = protocol("notes", {
  create: { request: {}, reply: { note: own(["read", "write", "narrow", "grant", "revoke"]) } },
  read: { needs: "read", request: {}, reply: { text } },
  append: { needs: "write", request: { text }, reply: {} },
});

/** What a note says. `note.append` would not compile here. */
function* shown(note: Capability<typeof Notes, "read">) {
  try {
    return (yield* note.read()).text;
  } catch (error) {
    return String(error);
  }
}

export default function* main(sys: Sys) {
  const os = start(sys);
  const { cspace, slots } = os;
  if (os.threadIndex === 1) {
    const endpoint = os.handed[0]!;
    const notes = new Objects<typeof Notes, { text: string }>(cspace, Notes, endpoint);
    return yield* Notes.serve(
      sys,
      endpoint,
      {
        *create() {
          return { note: yield* notes.mint({ text: "" }, ["read", "write", "narrow"]) };
        },
        read: (_, { object }) => ({ text: object.text }),
        append: ({ text }, { object }) => {
          object.text += text;
        },
      },
      { slots, objects: notes },
    );
  }

  const endpoint = yield* cspace.make(Endpoint);
  yield* spawnThread(os, { core: (os.core + 1) % os.cores, handed: [endpoint.handle] });
  const { note } = yield* (yield* cspace.offer(Notes, endpoint, 1)).create();
  yield* note.append({ text: "milk" });

  const readOnly = yield* cspace.narrow(note, ["read"]);
  const lent = yield* cspace.copy(readOnly);
  yield* os.print(`lent: ${yield* shown(lent)}`);

  // Whoever lies to the compiler is refused by the server.
  const forced = cspace.as(Notes, lent.handle, ["write"]);
  try {
    yield* forced.append({ text: ", beer" });
  } catch (error) {
    yield* os.print(`forced: ${error}`);
  }

  yield* cspace.revoke(readOnly);
  yield* os.print(`taken back: ${yield* shown(lent)}`);
  yield* os.print(`mine: ${yield* shown(note)}`);
  return 0;
}
