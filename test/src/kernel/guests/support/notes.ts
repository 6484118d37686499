/** A server of notes, each of them a capability: what the tests of objects.ts use. */
import { capability, Endpoint, Objects, type Os, own, protocol, type Steps, text, u32 } from "@capos/libos";

export const Notes = protocol("notes", {
  open: { request: { name: text }, reply: { note: own(["read", "write", "narrow", "grant", "revoke"]) } },
  read: { needs: "read", request: {}, reply: { text } },
  append: { needs: "write", request: { text }, reply: {} },
  merge: { needs: "write", request: { from: own(["read"]) }, reply: {} },
  close: { needs: "write", request: {}, reply: {} },
  /** The rights that a capability came with, as bits; the server keeps it. */
  keep: { request: { it: capability }, reply: { rights: u32 } },
  stat: { request: {}, reply: { sessions: u32, gone: u32, free: u32 } },
});

interface Note {
  readonly name: string;
  text: string;
}

/** Serves notes on the endpoint that it was handed. */
export function* keeper(os: Os): Steps<number> {
  const { sys, slots, cspace, handed } = os;
  const shelf = new Map<string, Note>();
  let gone = 0;
  const notes = new Objects<typeof Notes, Note>(cspace, Notes, handed[0], {
    onGone: ({ name }) => {
      shelf.delete(name);
      gone++;
    },
  });
  yield* Notes.serve(
    sys,
    handed[0],
    {
      *open({ name }) {
        const note = shelf.get(name) ?? { name, text: "" };
        shelf.set(name, note);
        return { note: yield* notes.mint(note, ["read", "write", "narrow"]) };
      },
      read: (_, { object }) => ({ text: object.text }),
      append: ({ text }, { object }) => {
        object.text += text;
      },
      merge: ({ from }, { object }) => {
        object.text += notes.get(from).text;
      },
      *close(_, { object }) {
        yield* notes.close(object);
      },
      *keep({ it }) {
        return { rights: (yield* cspace.inspect(cspace.as(Endpoint, it, []))).rights };
      },
      stat: () => ({ sessions: notes.size, gone, free: slots.free }),
    },
    { slots, objects: notes },
  );
  return 0;
}
