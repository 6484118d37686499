/** Typed capabilities on the real kernel: a server's own objects, and what happens to them when somebody ends. */

import type { Sys } from "@capos/abi";
import {
  type Capability,
  Endpoint,
  IpcError,
  Notification,
  type Os,
  Process,
  Sealer,
  type Steps,
  start,
} from "@capos/libos";
import {
  badged,
  type Child,
  childEnded,
  drop,
  Err,
  ended,
  failed,
  GuestTests,
  perform,
  process,
  Right,
  type Role,
  same,
  spawn,
  spawnChild,
} from "./support/kit.js";
import { keeper, Notes } from "./support/notes.js";

const roles: Record<string, Role> = {
  keeper,

  /** In a process of its own: opens, copies, narrows and drops notes for ever. */
  *opener(os) {
    const { cspace, handed } = os;
    const notes = cspace.as(Notes, handed[0], []);
    yield* cspace.as(Notification, handed[1], ["send"]).signal();
    for (;;) {
      const { note } = yield* notes.open({ name: "shared" });
      const copy = yield* cspace.copy(note);
      yield* cspace.drop(note);
      const reads = yield* cspace.narrow(copy, ["read"]);
      yield* cspace.drop(copy);
      yield* reads.read();
      yield* cspace.drop(reads);
    }
  },

  /** Sends its endpoint to itself. */
  *returner(os) {
    const { sys, handed } = os;
    sys.words[0] = 1;
    return -(yield sys.send(handed[0], 1, handed[0]));
  },

  /** In a process of its own: opens as many notes as the arguments say, uses the one it was lent, and waits. */
  *holder(os) {
    const { cspace, handed } = os;
    const notes = cspace.as(Notes, handed[0], []);
    for (let i = 0; i < Number(os.args[1]); i++) {
      const { note } = yield* notes.open({ name: `${os.args[2]}${i}` });
      yield* note.append({ text: "x" });
      yield* cspace.copy(note);
    }
    const lent = cspace.as(Notes, handed[1], ["read"]);
    const bell = cspace.as(Notification, handed[2], ["send"]);
    yield* bell.signal();
    for (;;) {
      const answer = yield* errorOf(lent.read());
      if (answer !== Err.OK) return -answer;
      yield os.sys.yield();
    }
  },
};

/** What steps came to: OK or the code of an `IpcError`. */
function* errorOf(steps: Steps<unknown>): Steps<number> {
  try {
    yield* steps;
    return Err.OK;
  } catch (error) {
    if (error instanceof IpcError) return error.code;
    throw error;
  }
}

/** Goes on when a holder has ended because what it was lent did. */
function* lostIt(os: Os, holder: Child): Steps<void> {
  const { status } = yield* childEnded(os, holder);
  same([failed(Err.BAD_CAP), failed(Err.REVOKED)].includes(status), true, `the holder ended with ${status}`);
}

interface Setup {
  readonly server: Capability<typeof Notes, "grant" | "revoke">;
  /** Opens a note by name. */
  open(name: string): Steps<Capability<typeof Notes, "read" | "write" | "narrow" | "grant" | "revoke">>;
  /** Goes on when the server has this many sessions. */
  sessions(count: number): Steps<void>;
  /** Starts a process that opens `count` notes and reads what it is lent for ever; goes on when it does. */
  holder(lent: Capability<typeof Notes, "read" | "grant">, count: number): Steps<Child>;
}

export const tests = new GuestTests();

/** A test with a keeper of notes on this core, and one with it on another. */
function withKeeper(name: string, body: (os: Os, setup: Setup) => Steps<void>): void {
  const on = (where: string, far: number) => {
    tests.add(`${name} (${where})`, function* (os) {
      const { cspace } = os;
      const core = (os.core + far) % os.cores;
      const endpoint = yield* cspace.make(Endpoint);
      const keeper = yield* spawn(os, "keeper", [endpoint.handle], { core, slots: 16 });
      const server = yield* cspace.offer(Notes, endpoint, 7);
      yield* body(os, {
        server,
        *open(note) {
          return (yield* server.open({ name: note })).note;
        },
        *sessions(count) {
          while ((yield* server.stat()).sessions !== count) yield os.sys.yield();
        },
        *holder(lent, count) {
          const bell = yield* cspace.make(Notification);
          const child = yield* spawnChild(os, "holder", [server.handle, lent.handle, bell.handle], {
            core,
            args: [count, "h"],
          });
          yield* bell.wait();
          yield* cspace.drop(bell);
          return child;
        },
      });
      yield* drop(os, keeper);
      yield* cspace.drop(server);
      yield* cspace.drop(endpoint);
    });
  };
  on("same core", 0);
  on("across cores", 1);
}

withKeeper(
  "a server's object permits what its session was given, whatever its holder says",
  function* (os, it) {
    const { cspace } = os;
    const note = yield* it.open("a");
    yield* note.append({ text: "milk" });
    const reads = yield* cspace.narrow(note, ["read"]);
    same((yield* reads.read()).text, "milk");
    const forced = cspace.as(Notes, reads.handle, ["read", "write", "narrow"]);
    same(yield* errorOf(forced.append({ text: "!" })), Err.DENIED, "append");
    same(yield* errorOf(cspace.narrow(forced, ["write"])), Err.DENIED, "narrow");
    same(yield* errorOf(cspace.as(Notes, it.server.handle, ["read"]).read()), Err.DENIED, "the entrance");
    same(yield* errorOf(badged(os, note.handle, 5)), Err.DENIED, "a badge of one's own");
    yield* cspace.drop(reads);
    yield* cspace.drop(note);
    yield* it.sessions(0);
  },
);

withKeeper("a session ends with the last copy of its capability", function* (os, it) {
  const { cspace } = os;
  const { free } = yield* it.server.stat();
  for (let round = 0; round < 3; round++) {
    const note = yield* it.open("a");
    const copy = yield* cspace.copy(note);
    yield* cspace.drop(note);
    same((yield* copy.read()).text, "", "a copy keeps it");
    same((yield* it.server.stat()).sessions, 1);
    yield* cspace.drop(copy);
    yield* it.sessions(0);
    same((yield* it.server.stat()).gone, round + 1, "gone");
  }
  same((yield* it.server.stat()).free, free, "the server has its slots back");
});

withKeeper("a process that is killed gives up its sessions, and they are reported", function* (os, it) {
  const { cspace } = os;
  const note = yield* it.open("a");
  const reads = yield* cspace.narrow(note, ["read"]);
  const child = yield* it.holder(reads, 5);
  same((yield* it.server.stat()).sessions, 7, "two here, five there");
  const holder = cspace.as(Process, child.process, ["read"]);
  const holds = [yield* cspace.verify(holder, reads, ["send"]), yield* cspace.verify(holder, note, ["send"])];
  same(holds, [true, false], "it holds what it was lent, and not what that was narrowed from");
  yield* process.kill(os.sys, child.process);
  yield* it.sessions(2);
  same((yield* it.server.stat()).gone, 5);
  same((yield* reads.read()).text, "", "what it was lent is still here");
  yield* os.drop(child.process);
  yield* cspace.drop(reads);
  yield* cspace.drop(note);
  yield* it.sessions(0);
});

withKeeper(
  "processes that are killed while they open and drop leave no session and no slot",
  function* (os, it) {
    const { cspace } = os;
    const { free } = yield* it.server.stat();
    for (let round = 0; round < 12; round++) {
      const bell = yield* cspace.make(Notification);
      const child = yield* spawnChild(os, "opener", [it.server.handle, bell.handle], {
        core: (os.core + 1) % os.cores,
      });
      yield* bell.wait();
      for (let i = 0; i < round * 37; i++) yield os.sys.yield();
      yield* process.kill(os.sys, child.process);
      for (const handle of [child.thread, child.process, child.cnode]) yield* os.drop(handle);
      yield* cspace.drop(bell);
      yield* it.sessions(0);
    }
    same((yield* it.server.stat()).free, free, "the server has its slots back");
  },
);

withKeeper("what was lent from a narrowed capability ends when that is revoked", function* (os, it) {
  const { cspace } = os;
  const note = yield* it.open("a");
  const reads = yield* cspace.narrow(note, ["read"]);
  const child = yield* it.holder(reads, 0);
  yield* cspace.revoke(reads);
  yield* lostIt(os, child);
  yield* reads.read();
  yield* cspace.drop(reads);
  yield* note.append({ text: "mine" });
  same((yield* note.read()).text, "mine");
  yield* cspace.drop(note);
  yield* it.sessions(0);
});

withKeeper("closing an object ends every capability to it, in other processes too", function* (os, it) {
  const { cspace } = os;
  const note = yield* it.open("a");
  const reads = yield* cspace.narrow(note, ["read"]);
  const child = yield* it.holder(reads, 0);
  yield* note.close();
  yield* lostIt(os, child);
  same(yield* errorOf(note.read()), Err.BAD_CAP, "the one it was closed through");
  same(yield* errorOf(reads.read()), Err.BAD_CAP, "the narrowed one");
  same((yield* it.server.stat()).sessions, 0);
  yield* cspace.drop(reads);
  yield* cspace.drop(note);
});

withKeeper("a reply that its caller could not take leaves no session", function* (os, it) {
  const { sys } = os;
  const open = Notes.methods.find(({ name }) => name === "open")!.word0;
  for (let i = 0; i < 40; i++) {
    // A text of one byte.
    [sys.words[0], sys.words[1], sys.words[2]] = [open, 1, 97];
    sys.receiveInto(0, 0);
    same(yield sys.call(it.server.handle, 3), 1, "answer");
    same(sys.words[0], Err.OK, "status");
  }
  yield* it.sessions(0);
});

withKeeper("an object comes back to its server as itself, and nowhere else", function* (os, it) {
  const { cspace } = os;
  const a = yield* it.open("a");
  const b = yield* it.open("b");
  yield* a.append({ text: "from a" });
  yield* b.merge({ from: a });
  same((yield* b.read()).text, "from a");
  const blind = cspace.as(Notes, (yield* cspace.narrow(a, ["write"])).handle, ["read", "grant"]);
  same(yield* errorOf(b.merge({ from: blind })), Err.DENIED, "one that cannot be read");
  same(yield* errorOf(it.server.keep({ it: a })), Err.RANGE, "where another's is wanted");
  const foreign = cspace.as(Notes, yield* os.endpoint(), ["read", "grant"]);
  const { free } = yield* it.server.stat();
  same(yield* errorOf(b.merge({ from: foreign })), Err.RANGE, "another endpoint");
  same((yield* it.server.stat()).free, free, "it costs no slot");
  for (const one of [a, b, blind, foreign]) yield* cspace.drop(one);
  yield* it.sessions(0);
});

withKeeper("what came back as a badge says nothing of what the next message brings", function* (os, it) {
  const { sys } = os;
  const endpoint = yield* os.endpoint();
  const returner = yield* spawn(os, "returner", [endpoint]);
  sys.receiveInto(0, 0);
  same(yield sys.recv(endpoint), 1);
  same([sys.arrived(), sys.unwrapped(0), sys.capability(0)], [1, true, 0], "without a badge, to the deaf");
  const note = yield* it.open("a");
  same([sys.arrived(), sys.unwrapped(0)], [1, false], "a reply's capability is a handle");
  yield* note.append({ text: "x" });
  yield* ended(os, returner);
  yield* drop(os, returner);
  yield* os.cspace.drop(note);
  yield* os.drop(endpoint);
  yield* it.sessions(0);
});

withKeeper("a capability travels as its sender says", function* (os, it) {
  const { cspace } = os;
  const gift = yield* cspace.make(Notification);
  const { free } = cspace.slots;
  const sent = (given: Parameters<typeof it.server.keep>[0]["it"]) => it.server.keep({ it: given });
  same((yield* sent(gift)).rights, Right.ALL, "copied");
  same((yield* sent({ capability: gift, rights: ["send"] })).rights, Right.SEND, "narrowed");
  same(cspace.slots.free, free);
  same((yield* sent({ capability: gift, move: true })).rights, Right.ALL, "moved");
  same(cspace.slots.free, free + 1, "its slot is free");
  same(yield* errorOf(gift.signal()), Err.BAD_CAP, "moved away");
  same(yield* errorOf(cspace.copy(gift)), Err.BAD_CAP, "moved away");
});

withKeeper("a sealed capability is carried and not used until it is opened", function* (os, it) {
  const { cspace } = os;
  const note = yield* it.open("a");
  const sealer = yield* cspace.make(Sealer);
  const sealed = yield* cspace.seal(note, sealer);
  const forced = cspace.as(Notes, sealed.handle, ["read"]);
  same(yield* errorOf(forced.read()), Err.SEALED, "used");
  yield* cspace.drop(note);
  const open = yield* cspace.unseal(sealed, sealer);
  same((yield* open.read()).text, "", "opened");
  for (const one of [open, sealed, sealer]) yield* cspace.drop(one);
  yield* it.sessions(0);
});

withKeeper(
  "a capability with an end in time ends then, and its copies have the same end",
  function* (os, it) {
    const { cspace } = os;
    const note = yield* it.open("a");
    const soon = yield* cspace.expire(note, 1_000_000);
    let answer: number = Err.OK;
    while (answer === Err.OK) {
      answer = yield* errorOf(soon.read());
      yield os.sys.yield();
    }
    same([Err.EXPIRED, Err.REVOKED, Err.BAD_CAP].includes(answer), true, `it ends with ${answer}`);
    const late = yield* cspace.expire(note, 1e15);
    const copy = yield* cspace.copy(late);
    same((yield* cspace.inspect(copy)).expiresInNs !== null, true, "a copy ends too");
    same((yield* note.read()).text, "", "what it was made from stays");
    for (const one of [copy, late, soon, note]) yield* cspace.drop(one);
    yield* it.sessions(0);
  },
);

export default function* main(sys: Sys) {
  const os = start(sys);
  return yield* perform(os, tests, roles);
}
