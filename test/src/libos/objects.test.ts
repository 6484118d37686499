import { Err, Right, type Sys } from "@capos/abi";
import {
  CSpace,
  capability,
  cnode,
  DEFERRED,
  type Given,
  type MethodsOf,
  Objects,
  own,
  protocol,
  type SavedReply,
  Slots,
  type Steps,
  text,
  u32,
} from "@capos/libos";
import t from "tap";
import { Endpoint, type FakeThread } from "./support/fake.js";
import { CLIENT_BADGE, connect, expectError, finished, SLOTS } from "./support/pair.js";

const Notes = protocol("notes", {
  open: {
    request: { name: text },
    reply: { note: own(["read", "write", "narrow", "grant", "revoke"]) },
  },
  look: { request: { name: text }, reply: { note: own(["read"]) } },
  later: { request: { name: text }, reply: { note: own(["read", "grant"]) } },
  read: { needs: "read", request: {}, reply: { text } },
  write: { needs: "write", request: { text }, reply: {} },
  merge: { needs: "write", request: { from: own(["read"]) }, reply: {} },
  burn: { needs: "write", request: {}, reply: {} },
  badgeOf: { request: { note: own([]) }, reply: { badge: u32 } },
  release: { request: {}, reply: {} },
  keep: { request: { it: capability }, reply: {} },
});

interface Note {
  readonly name: string;
  text: string;
}

type NoteObjects = Objects<typeof Notes, Note>;

interface Seen {
  readonly gone: string[];
  objects: NoteObjects;
  slots: Slots;
  later: SavedReply<Given<MethodsOf<typeof Notes>["later"]["reply"], MethodsOf<typeof Notes>>>;
}

/** A server of notes, and a client at its entrance, which `use` gets as a typed capability. */
function withNotes(use: (home: CSpace, endpoint: number, seen: Seen) => Steps<unknown>, firstBadge?: number) {
  const shelf = new Map<string, Note>();
  const seen = { gone: [] } as unknown as Seen;
  const take = (name: string): Note => {
    const found = shelf.get(name) ?? { name, text: "" };
    shelf.set(name, found);
    return found;
  };
  const pair = connect(
    function* (sys, endpoint, slots) {
      const cspace = new CSpace(sys, slots.cnode, slots);
      const objects = new Objects<typeof Notes, Note>(cspace, Notes, endpoint, {
        onGone: ({ name }) => void seen.gone.push(name),
        ...(firstBadge === undefined ? {} : { firstBadge }),
      });
      seen.objects = objects;
      seen.slots = slots;
      yield* Notes.serve(
        sys,
        endpoint,
        {
          *open({ name }) {
            return { note: yield* objects.mint(take(name), ["read", "write", "narrow"]) };
          },
          *look({ name }) {
            return { note: yield* objects.mint(take(name), ["read"]) };
          },
          *later(_, context) {
            seen.later = yield* context.defer();
            return DEFERRED;
          },
          read: (_, { object }) => ({ text: object.text }),
          write: ({ text }, { object }) => {
            object.text += text;
          },
          merge: ({ from }, { object }) => {
            object.text += objects.get(from).text;
          },
          *burn(_, { object }) {
            yield* objects.close(object);
          },
          // For the entrance, which is no object.
          badgeOf: ({ note }, { object }) => ({ badge: object === undefined ? note : 0 }),
          *release() {
            const minted = yield* objects.mint(take("later"), ["read"]);
            yield* seen.later.answer({ note: minted });
          },
          keep: () => {},
        },
        { slots, objects },
      );
    },
    (sys, endpoint, slots) => use(new CSpace(sys, slots.cnode, slots), endpoint, seen),
  );
  return { ...pair, seen };
}

const entrance = (home: CSpace, endpoint: number) => home.as(Notes, endpoint, ["grant", "revoke"]);

t.test(
  "what a capability may do at a server is what its badge was minted with, whatever its holder says",
  (t) => {
    const { client } = withNotes(function* (home, endpoint) {
      const notes = entrance(home, endpoint);
      const { note } = yield* notes.open({ name: "a" });
      yield* note.write({ text: "written" });
      const { note: seen } = yield* notes.look({ name: "a" });
      t.same(yield* seen.read(), { text: "written" }, "both are the same object");
      const forced = home.as(Notes, seen.handle, ["write", "narrow"]);
      yield* expectError(t, forced.write({ text: "!" }), Err.DENIED, "a right it was not given");
      yield* expectError(t, home.narrow(forced, ["write"]), Err.DENIED, "narrowing without the right to");
      const anybody = home.as(Notes, endpoint, ["read", "write", "narrow"]);
      yield* expectError(t, anybody.read(), Err.DENIED, "no object at all");
      yield* expectError(t, home.narrow(anybody, ["read"]), Err.BAD_CAP, "narrowing no object");
      t.same(yield* note.read(), { text: "written" });
    });
    t.ok(finished(client));
    t.end();
  },
);

t.test("narrowing gives the same object with rights that it had, and no others", (t) => {
  const { client } = withNotes(function* (home, endpoint) {
    const { note } = yield* entrance(home, endpoint).open({ name: "a" });
    const reads = yield* home.narrow(note, ["read", "narrow"]);
    yield* note.write({ text: "x" });
    t.same(yield* reads.read(), { text: "x" });
    const wants = home.as(Notes, reads.handle, ["read", "write", "execute", "narrow"]);
    const gets = yield* home.narrow(wants, ["read", "write", "execute", "narrow"]);
    t.same(yield* gets.read(), { text: "x" });
    yield* expectError(t, gets.write({ text: "y" }), Err.DENIED, "a right that the narrowed one had not");
    const nothing = yield* home.narrow(note, []);
    const uses = home.as(Notes, nothing.handle, ["read"]);
    yield* expectError(t, uses.read(), Err.DENIED, "no rights at all");
  });
  t.ok(finished(client));
  t.end();
});

t.test("a session ends with the last capability to it, and the object with its last session", (t) => {
  const { client, server } = withNotes(function* (home, endpoint, seen) {
    const notes = entrance(home, endpoint);
    const { note } = yield* notes.open({ name: "a" });
    const copy = yield* home.copy(note);
    const other = yield* home.narrow(note, ["read"]);
    t.equal(seen.objects.size, 2);
    yield* home.drop(note);
    yield* copy.read();
    t.equal(seen.objects.size, 2, "a copy holds it");
    yield* home.drop(copy);
    yield* other.read();
    t.equal(seen.objects.size, 1);
    t.same(seen.gone, []);
    yield* home.drop(other);
    yield* notes.look({ name: "b" });
    t.same(seen.gone, ["a"]);
    t.equal(seen.objects.size, 1, "only the other object's is left");
    t.equal(seen.slots.free, SLOTS - 1 - 1, "one slot a session, and the server's receive window");
  });
  t.ok(finished(client));
  t.equal(server.cspace.size, 3, "endpoint, CNode, the slot of the session that is left");
  t.end();
});

t.test("a client that is killed gives up its sessions", (t) => {
  const { world, client, seen } = withNotes(function* (home, endpoint) {
    const notes = entrance(home, endpoint);
    for (const name of ["a", "b", "c"]) yield* notes.open({ name });
    yield* notes.later({ name: "" });
  });
  t.equal(seen.objects.size, 3);
  world.kill(client);
  world.run();
  t.same(seen.gone, ["a", "b", "c"]);
  t.equal(seen.objects.size, 0);
  t.end();
});

t.test("a reply that its client could not take leaves no session behind", (t) => {
  const open = Notes.methods.find(({ name }) => name === "open")!.word0;
  const { client, seen } = withNotes(function* ({ sys }, endpoint) {
    for (let i = 0; i < 3 * SLOTS; i++) {
      Object.assign(sys.words, [open, 1, 97]);
      sys.receiveInto(0, 0);
      t.equal(yield sys.call(endpoint, 3), 1);
      t.equal(sys.words[0], Err.OK, "deaf");
      Object.assign(sys.words, [open, 1, 97]);
      yield sys.send(endpoint, 3);
    }
    yield sys.nothing();
  });
  t.ok(finished(client));
  t.equal(seen.objects.size, 0);
  t.equal(seen.slots.free, SLOTS - 1, "all but the receive window");
  t.end();
});

t.test("closing an object ends every capability to it", (t) => {
  const { client, seen } = withNotes(function* (home, endpoint) {
    const notes = entrance(home, endpoint);
    const { note } = yield* notes.open({ name: "a" });
    const copy = yield* home.copy(note);
    const other = yield* home.narrow(note, ["read"]);
    const { note: stays } = yield* notes.open({ name: "b" });
    // The reply comes through the call, not through what the call ends.
    yield* note.burn();
    yield* expectError(t, note.read(), Err.BAD_CAP, "the one it was closed through");
    yield* expectError(t, copy.read(), Err.BAD_CAP, "its copy");
    yield* expectError(t, other.read(), Err.BAD_CAP, "another session");
    t.same(yield* stays.read(), { text: "" }, "another object stays");
  });
  t.ok(finished(client));
  t.equal(seen.objects.size, 1);
  t.same(seen.gone, [], "whoever closes it knows");
  t.end();
});

t.test("badges count upwards, go round, and pass those in use by", (t) => {
  const last = 0xffff_ffff;
  const { client } = withNotes(function* (home, endpoint) {
    const notes = entrance(home, endpoint);
    const badges: number[] = [];
    const { note: stays } = yield* notes.open({ name: "stays" });
    badges.push((yield* notes.badgeOf({ note: stays })).badge);
    for (let i = 0; i < 4; i++) {
      const { note } = yield* notes.open({ name: "a" });
      badges.push((yield* notes.badgeOf({ note })).badge);
      yield* home.drop(note);
    }
    t.same(badges, [last - 2, last - 1, last, last - 1, last]);
  }, last - 3);
  t.ok(finished(client));
  t.end();
});

t.test("the entrance has a badge, so that nobody can mint one of a session", (t) => {
  const { client } = withNotes(function* (home, endpoint, seen) {
    const { note } = yield* entrance(home, endpoint).open({ name: "a" });
    t.equal((yield* home.inspect(note)).badge, 0x8000_0001);
    yield* expectError(
      t,
      cnode.mint(home.sys, home.node.handle, home.slots.first + 5, note.handle, Right.ALL, 5),
      Err.DENIED,
      "a session",
    );
    t.equal(seen.objects.find(CLIENT_BADGE), undefined);
    t.throws(() => seen.objects.get(CLIENT_BADGE), { code: Err.BAD_CAP });
    t.throws(() => seen.objects.get(0x8000_0001, ["execute"]), { code: Err.DENIED });
    t.equal(seen.objects.get(0x8000_0001, ["read", "write"]).name, "a");
  });
  t.ok(finished(client));
  t.end();
});

t.test("a server's own object comes back as its badge, with the rights that the field asks for", (t) => {
  const { client } = withNotes(function* (home, endpoint, seen) {
    const notes = entrance(home, endpoint);
    const { note: a } = yield* notes.open({ name: "a" });
    const { note: b } = yield* notes.open({ name: "b" });
    yield* a.write({ text: "from a" });
    yield* b.merge({ from: a });
    t.same(yield* b.read(), { text: "from a" });
    const blind = yield* home.narrow(a, ["write"]);
    const forced = home.as(Notes, blind.handle, ["read", "grant"]);
    yield* expectError(t, b.merge({ from: forced }), Err.DENIED, "one that cannot be read");
    const free = seen.slots.free;
    yield* expectError(t, b.merge({ from: notes as never }), Err.DENIED, "the entrance");
    const foreign = home.as(Notes, (home.sys as unknown as FakeThread).put(5, new Endpoint()), [
      "read",
      "grant",
    ]);
    yield* expectError(t, b.merge({ from: foreign }), Err.RANGE, "another server's capability");
    yield* expectError(t, notes.keep({ it: a }), Err.RANGE, "its own where another's is wanted");
    t.equal(seen.slots.free, free, "none of that cost a slot");
    t.same(yield* a.read(), { text: "from a" });
  });
  t.ok(finished(client));
  t.end();
});

t.test("a deferred answer gives an object away as an immediate one does", (t) => {
  const { world, client, endpoint, seen } = withNotes(function* (home, endpoint) {
    const { note } = yield* entrance(home, endpoint).later({ name: "" });
    t.same(yield* note.read(), { text: "" });
    yield* home.drop(note);
  });
  t.notOk(finished(client), "it waits");
  const cspace: FakeThread["cspace"] = new Map();
  let handle = 0;
  const other = world.thread(function* (sys: Sys) {
    yield* Notes.client(sys, handle, new Slots(0, 10, 1)).release();
  }, cspace);
  handle = other.put(1, endpoint, 5);
  world.run();
  t.ok(finished(client));
  t.equal(seen.objects.size, 0);
  t.same(seen.gone, ["later"]);
  t.end();
});

t.test(
  "a protocol with objects is not served without a table of them, nor one that gives them without slots",
  (t) => {
    const handlers = {} as never;
    const { server } = connect(
      function* (sys, endpoint, slots) {
        const Plain = protocol("plain", { get: { request: {}, reply: { it: own(["read"]) } } });
        t.throws(() => Notes.serve(sys, endpoint, handlers, { slots }).next(0), TypeError, "no table");
        t.throws(() => Plain.serve(sys, endpoint, { get: handlers }).next(0), TypeError, "no slots");
        const Narrow = { narrow: { needs: "read", request: {}, reply: {} } } as const;
        t.throws(() => protocol("p", Narrow), RangeError, "the name is taken");
        t.throws(
          () => protocol("p", { handle: { request: {}, reply: {} } }),
          RangeError,
          "every capability has it",
        );
      },
      function* () {},
    );
    t.ok(finished(server));
    t.end();
  },
);

t.test(
  "a receive that ended for want of senders is no request: onNoSenders is told and nobody answered",
  (t) => {
    const seen: number[] = [];
    const Plain = protocol("plain", {
      get: { request: {}, reply: { it: own(["grant"]) } },
      stop: { request: {}, reply: {} },
    });
    const { server, client } = connect(
      function* (sys, endpoint, slots) {
        const cspace = new CSpace(sys, slots.cnode, slots);
        const minted = yield* cspace.offer(Plain, endpoint, 9);
        yield* Plain.serve(
          sys,
          endpoint,
          {
            *get() {
              return { it: yield* cspace.copy(minted) };
            },
            stop: () => {},
          },
          {
            slots,
            onNoSenders: (badge, context) => {
              seen.push(badge);
              if (seen.length === 2) context.end();
            },
          },
        );
      },
      function* (sys, endpoint, slots) {
        const home = new CSpace(sys, slots.cnode, slots);
        const plain = home.as(Plain, endpoint, []);
        for (let i = 0; i < 2; i++) {
          const { it } = yield* plain.get();
          yield* it.stop();
          t.equal(
            (yield* home.inspect(it)).rights,
            Right.SEND | Right.GRANT,
            "with the rights the protocol says",
          );
          yield* home.drop(it);
        }
      },
    );
    t.same(seen, [9, 9]);
    t.ok(finished(server));
    t.ok(finished(client));
    t.end();
  },
);
