/** Every IPC trap, on one core and between two: words, badges, errors, replies, notifications. */
import { Err, handleIndex, ObjectType, Right, type Sys } from "@capos/abi";
import { cnode, type SpawnedThread, start } from "@capos/libos";
import {
  badged,
  drop,
  ended,
  failed,
  fill,
  filled,
  GuestTests,
  invoke,
  onCores,
  perform,
  type Role,
  same,
  settled,
  spawn,
  thread,
  truly,
} from "./support/kit.js";

const SIZES = [0, 1, 4, 5, 64];

const roles: Record<string, Role> = {
  /** Answers each call with the message it came with, for ever. */
  *echo(os) {
    const { sys, handed } = os;
    for (let n = yield sys.recv(handed[0]); ; ) n = yield sys.replyRecv(handed[0], n);
  },

  /** The same by two traps. */
  *echo2(os) {
    const { sys, handed } = os;
    for (;;) {
      const n = yield sys.recv(handed[0]);
      yield sys.reply(n);
    }
  },

  /** Answers with badge and count. */
  *tell(os) {
    const { sys, handed } = os;
    for (let n = yield sys.recv(handed[0]); ; ) {
      sys.words[0] = sys.badge();
      sys.words[1] = n;
      n = yield sys.replyRecv(handed[0], 2);
    }
  },

  /** Takes messages and passes each on to the second endpoint. */
  *relay(os) {
    const { sys, handed } = os;
    for (;;) yield sys.send(handed[1], yield sys.recv(handed[0]));
  },

  /** Sends messages of all sizes, one after the other. */
  *source(os) {
    const { sys, handed } = os;
    for (const n of SIZES) {
      fill(sys, n, n);
      if ((yield sys.send(handed[0], n)) !== 0) return 1;
    }
    return 0;
  },

  /** Sends one message with the number in its arguments; ends with what the send answered. */
  *one(os) {
    const { sys, handed } = os;
    sys.words[0] = Number(os.args[1]);
    return -(yield sys.send(handed[0], 1));
  },

  /** Calls with the number in its arguments; ends with the answer's first word, or the error. */
  *caller(os) {
    const { sys, handed } = os;
    sys.words[0] = Number(os.args[1]);
    const n = yield sys.call(handed[0], 1);
    return n < 0 ? -n : sys.words[0];
  },

  /** Receives once; ends with the first word, or the error. */
  *receiver(os) {
    const { sys, handed } = os;
    const n = yield sys.recv(handed[0]);
    if (os.args[1] !== undefined) {
      sys.words[1] = sys.words[0];
      sys.words[0] = Number(os.args[1]);
      yield sys.send(handed[1], 2);
    }
    return n < 0 ? -n : sys.words[0];
  },

  /** Waits once; ends with the bits, or the error. */
  *waiter(os) {
    const { sys, handed } = os;
    const n = yield sys.wait(handed[0]);
    if (os.args[1] !== undefined) {
      sys.words[0] = Number(os.args[1]);
      yield sys.send(handed[1], 1);
    }
    return n < 0 ? -n : Math.min(sys.badge(), 255);
  },

  /** Takes a call, saves the reply, takes another, answers that and then the first. */
  *saver(os) {
    const { sys, handed } = os;
    yield sys.recv(handed[0]);
    const slot = os.slots.take();
    const saved = yield sys.saveReply(slot);
    const reply = sys.capability(0);
    if (saved !== 0 || handleIndex(reply) !== slot) return 1;
    // It is not this thread's to answer any more.
    if ((yield sys.reply(0)) !== Err.NO_REPLY) return 2;
    yield sys.recv(handed[0]);
    sys.words[0] += 100;
    if ((yield sys.reply(1)) !== 0) return 3;
    sys.words[0] = 77;
    if ((yield sys.replyTo(reply, 1)) !== 0) return 4;
    // Used up.
    if ((yield sys.replyTo(reply, 1)) !== Err.BAD_CAP) return 5;
    return 0;
  },

  /** Notifies once. */
  *notifier(os) {
    return -(yield os.sys.notify(os.handed[0]));
  },

  /** Ends with what a trap with a status answers. */
  *exits(os) {
    yield os.sys.exit(Number(os.args[1]));
    return 99;
  },

  /** Calls a server many times, with all sizes; 0 if every answer is the question. */
  *storm(os) {
    const { sys, handed } = os;
    for (let i = 0; i < Number(os.args[1]); i++) {
      const n = SIZES[i % SIZES.length];
      fill(sys, n, i);
      if ((yield sys.call(handed[0], n)) !== n) return 1;
      for (let w = 0; w < n; w++) if (sys.words[w] !== i * 1000 + w) return 2;
    }
    return 0;
  },
};

export const tests = new GuestTests();

for (const server of ["echo", "echo2"]) {
  onCores(
    tests,
    `a call brings 0, 1, 4, 5 and 64 words there and back, server ${server}`,
    function* (os, core) {
      const { sys } = os;
      const endpoint = yield* os.endpoint();
      const it = yield* spawn(os, server, [endpoint], { core });
      for (const wait of [true, false]) {
        for (const n of SIZES) {
          // Once with the server waiting for it, once maybe on its way to it.
          if (wait) yield* settled(os, it);
          fill(sys, 64, 9);
          fill(sys, n, n);
          same(yield sys.call(endpoint, n), n, "count");
          filled(sys, n, n, "answer");
          for (let i = n; i < 64; i++) same(sys.words[i], 9000 + i, "a word past the answer's end");
          same(sys.badge(), 0, "badge of an answer");
          same(sys.arrived(), 0, "capabilities");
        }
      }
      yield* drop(os, it);
    },
  );
}

onCores(tests, "a call that waits in the queue brings its words too", function* (os, core) {
  for (let round = 0; round < 5; round++) {
    const { sys } = os;
    const endpoint = yield* os.endpoint();
    // The home is where the endpoint was made: here.
    const callers: SpawnedThread[] = [];
    for (let i = 0; i < 3; i++) callers.push(yield* spawn(os, "storm", [endpoint], { core, args: [5] }));
    yield* settled(os, ...callers);
    let left = 15;
    for (let got = yield sys.recv(endpoint); ; got = yield sys.replyRecv(endpoint, got))
      if (--left === 0) break;
    // The last call of a caller has the last size.
    yield sys.reply(SIZES.at(-1));
    same(yield* ended(os, ...callers), [0, 0, 0], "callers");
    yield* drop(os, ...callers);
  }
});

onCores(
  tests,
  "send blocks until a receiver has taken the message, of 0, 1, 4, 5 and 64 words",
  function* (os, core) {
    const { sys } = os;
    const endpoint = yield* os.endpoint();
    const it = yield* spawn(os, "source", [endpoint], { core });
    for (const n of SIZES) {
      yield* settled(os, it);
      same((yield* thread.status(sys, it.handle)).state, 1, "the sender waits");
      fill(sys, 64, 9);
      same(yield sys.recv(endpoint), n, "count");
      filled(sys, n, n, "message");
      for (let i = n; i < 64; i++) same(sys.words[i], 9000 + i, "a word past the message's end");
    }
    same(yield* ended(os, it), [0], "the sender");
    yield* drop(os, it);
  },
);

onCores(tests, "a waiting receiver gets 0, 1, 4, 5 and 64 words", function* (os, core) {
  const { sys } = os;
  const endpoint = yield* os.endpoint();
  const back = yield* os.endpoint();
  const it = yield* spawn(os, "relay", [endpoint, back], { core });
  for (const n of SIZES) {
    yield* settled(os, it);
    fill(sys, n, n);
    same(yield sys.send(endpoint, n), 0, "send");
    fill(sys, 64, 3);
    same(yield sys.recv(back), n, "count");
    filled(sys, n, n, "message");
  }
  yield* drop(os, it);
});

onCores(tests, "a word is any number and arrives as it was", function* (os, core) {
  const { sys } = os;
  const endpoint = yield* os.endpoint();
  const it = yield* spawn(os, "echo", [endpoint], { core });
  const values = [0, -0, 0.1, -1e-320, 2 ** 53 - 1, -(2 ** 53), Number.POSITIVE_INFINITY, Number.NaN, 1e308];
  for (const count of [values.length, 4]) {
    for (let i = 0; i < count; i++) sys.words[i] = values[i];
    same(yield sys.call(endpoint, count), count, "count");
    for (let i = 0; i < count; i++)
      truly(Object.is(sys.words[i], values[i]), `${values[i]} is ${sys.words[i]}`);
  }
  yield* drop(os, it);
});

onCores(tests, "a receiver learns the badge of the capability that was used", function* (os, core) {
  const { sys } = os;
  const endpoint = yield* os.endpoint();
  const it = yield* spawn(os, "tell", [endpoint], { core });
  for (const badge of [1, 77, 2 ** 31, 2 ** 32 - 1]) {
    const handle = yield* badged(os, endpoint, badge);
    for (const wait of [true, false]) {
      if (wait) yield* settled(os, it);
      same(yield sys.call(handle, 1), 2, "count");
      same([sys.words[0], sys.words[1]], [badge, 1], "badge and count");
    }
    // The plain capability between badged ones has none.
    yield sys.call(endpoint, 3);
    same([sys.words[0], sys.words[1]], [0, 3], "no badge");
    yield* os.drop(handle);
  }
  yield* drop(os, it);
});

onCores(tests, "a queued sender's badge arrives", function* (os, core) {
  const { sys } = os;
  const endpoint = yield* os.endpoint();
  const handle = yield* badged(os, endpoint, 4_000_000_000);
  const it = yield* spawn(os, "one", [handle], { core, args: [5] });
  yield* settled(os, it);
  same(yield sys.recv(endpoint), 1, "count");
  same([sys.words[0], sys.badge()], [5, 4_000_000_000], "word and badge");
  yield* drop(os, it);
});

onCores(tests, "a saved reply answers its call, once, after others", function* (os, core) {
  const { sys } = os;
  const endpoint = yield* os.endpoint();
  const it = yield* spawn(os, "saver", [endpoint], { core });
  const first = yield* spawn(os, "caller", [endpoint], { args: [1] });
  yield* settled(os, it, first);
  sys.words[0] = 5;
  same(yield sys.call(endpoint, 1), 1, "count");
  same(sys.words[0], 105, "the second call is answered first");
  same(yield* ended(os, first), [77], "the first call's answer");
  same(yield* ended(os, it), [0], "the server");
  yield* drop(os, it, first);
});

onCores(tests, "nbSend answers WOULD_BLOCK with no receiver and delivers with one", function* (os, core) {
  const { sys } = os;
  const endpoint = yield* os.endpoint();
  // A receive that ended takes the home to the other core.
  const before = yield* spawn(os, "receiver", [endpoint], { core });
  yield* settled(os, before);
  sys.words[0] = 1;
  same(yield sys.nbSend(endpoint, 1), 0, "to a receiver");
  same(yield* ended(os, before), [1], "received");
  same(yield sys.nbSend(endpoint, 1), Err.WOULD_BLOCK, "to nobody");
  // A sender in the queue is no receiver.
  const queued = yield* spawn(os, "one", [endpoint], { core, args: [8] });
  yield* settled(os, queued);
  same(yield sys.nbSend(endpoint, 1), Err.WOULD_BLOCK, "to a queue of senders");
  yield sys.recv(endpoint);
  same(sys.words[0], 8, "the queued sender's message");
  yield* drop(os, before, queued);
});

onCores(tests, "nbRecv answers WOULD_BLOCK with no sender and takes from one", function* (os, core) {
  const { sys } = os;
  const endpoint = yield* os.endpoint();
  same(yield sys.nbRecv(endpoint), Err.WOULD_BLOCK, "nobody");
  const it = yield* spawn(os, "receiver", [endpoint], { core });
  yield* settled(os, it);
  same(yield sys.nbRecv(endpoint), Err.WOULD_BLOCK, "a queue of receivers");
  sys.words[0] = 3;
  yield sys.send(endpoint, 1);
  same(yield* ended(os, it), [3], "received");
  const sender = yield* spawn(os, "one", [endpoint], { core, args: [6] });
  yield* settled(os, sender);
  same(yield sys.nbRecv(endpoint), 1, "count");
  same(sys.words[0], 6, "word");
  same(yield* ended(os, sender), [0], "the sender goes on");
  same(yield sys.nbRecv(endpoint), Err.WOULD_BLOCK, "nobody again");
  yield* drop(os, it, sender);
});

onCores(tests, "bits of a notification are OR-ed and taken by one wait or poll", function* (os, core) {
  const { sys } = os;
  const notification = yield* os.notification();
  const four = yield* badged(os, notification, 4);
  const high = yield* badged(os, notification, 2 ** 31);
  same(yield sys.poll(notification), Err.WOULD_BLOCK, "none");
  for (const handle of [four, high, four]) same(yield sys.notify(handle), 0, "notify");
  same(yield sys.poll(notification), 0, "poll");
  same(sys.badge(), 4 + 2 ** 31, "bits");
  same(yield sys.poll(notification), Err.WOULD_BLOCK, "taken");
  same(yield sys.notify(notification), 0, "without a badge");
  same(yield sys.wait(notification), 0, "wait");
  same(sys.badge(), 1, "no badge is bit 1");
  // Another core's thread signals, this one waits, and the other way round.
  const signaller = yield* spawn(os, "notifier", [four], { core });
  same(yield sys.wait(notification), 0, "wait");
  same(sys.badge(), 4, "bits");
  const it = yield* spawn(os, "waiter", [notification], { core });
  yield* settled(os, it);
  same(yield sys.notify(high), 0, "notify");
  same(yield* ended(os, it), [255], "woken by a high bit");
  yield* drop(os, signaller);
  yield* drop(os, it);
});

onCores(tests, "a signal before the wait is not lost", function* (os, core) {
  const { sys } = os;
  const notification = yield* os.notification();
  const bit = yield* badged(os, notification, 64);
  for (let round = 0; round < 50; round++) {
    yield sys.notify(bit);
    const it = yield* spawn(os, "waiter", [notification], { core, slots: 1 });
    same(yield* ended(os, it), [64], "the waiter");
    yield* drop(os, it);
  }
});

onCores(tests, "each signal wakes one waiter, the first that came", function* (os, core) {
  const { sys } = os;
  const notification = yield* os.notification();
  const back = yield* os.endpoint();
  const waiters: SpawnedThread[] = [];
  for (let i = 0; i < 4; i++) {
    waiters.push(yield* spawn(os, "waiter", [notification, back], { core, args: [i] }));
    yield* settled(os, ...waiters);
  }
  for (let i = 0; i < 4; i++) {
    yield sys.notify(notification);
    same(yield sys.recv(back), 1, "count");
    same(sys.words[0], i, "who was woken");
    same(yield sys.nbRecv(back), Err.WOULD_BLOCK, "nobody else");
  }
  yield* ended(os, ...waiters);
  yield* drop(os, ...waiters);
});

onCores(
  tests,
  "many calls of all sizes by several threads are each answered with their own words",
  function* (os, core) {
    const endpoint = yield* os.endpoint();
    const server = yield* spawn(os, "echo", [endpoint], { core });
    const clients: SpawnedThread[] = [];
    for (let i = 0; i < 4; i++)
      clients.push(yield* spawn(os, "storm", [endpoint], { core: i % os.cores, args: [300] }));
    same(yield* ended(os, ...clients), [0, 0, 0, 0], "clients");
    yield* drop(os, server, ...clients);
  },
);

onCores(tests, "exit ends a thread with its status", function* (os, core) {
  for (const status of [0, 1, 255]) {
    const it = yield* spawn(os, "exits", [], { core, args: [status] });
    same(yield* ended(os, it), [status], "status");
    yield* drop(os, it);
  }
});

tests.add(
  "reply without a call answers NO_REPLY, and so does replyRecv, which then receives nothing",
  function* (os) {
    const { sys } = os;
    const endpoint = yield* os.endpoint();
    same(yield sys.reply(0), Err.NO_REPLY, "reply");
    same(yield sys.replyRecv(endpoint, 0), Err.NO_REPLY, "replyRecv");
    same(yield sys.saveReply(os.slots.take()), Err.NO_REPLY, "saveReply");
    // A plain send is no call.
    const it = yield* spawn(os, "one", [endpoint], { args: [1] });
    same(yield sys.recv(endpoint), 1, "recv");
    same(yield sys.reply(0), Err.NO_REPLY, "reply to a send");
    yield* drop(os, it);
  },
);

tests.add("a call can be answered once", function* (os) {
  const { sys } = os;
  const endpoint = yield* os.endpoint();
  const it = yield* spawn(os, "caller", [endpoint], { args: [1] });
  yield sys.recv(endpoint);
  sys.words[0] = 9;
  same(yield sys.reply(1), 0, "reply");
  same(yield sys.reply(1), Err.NO_REPLY, "again");
  same(yield* ended(os, it), [9], "answer");
  yield* drop(os, it);
});

tests.add(
  "saveReply refuses index 0, an index past the end, a fraction and an occupied slot, and the reply stays",
  function* (os) {
    const { sys } = os;
    const endpoint = yield* os.endpoint();
    const it = yield* spawn(os, "caller", [endpoint], { args: [1] });
    yield sys.recv(endpoint);
    for (const index of [0, -1, 1 << 20, 0.5, Number.NaN, 2 ** 40, Number.POSITIVE_INFINITY]) {
      same(yield sys.saveReply(index), Err.RANGE, `index ${index}`);
    }
    same(yield sys.saveReply(handleIndex(endpoint)), Err.SLOT_OCCUPIED, "occupied");
    sys.words[0] = 4;
    same(yield sys.reply(1), 0, "reply");
    same(yield* ended(os, it), [4], "answer");
    yield* drop(os, it);
  },
);

tests.add("a receive lets go of the call received before: its caller gets PEER_DIED", function* (os) {
  const { sys } = os;
  for (const core of [os.core, (os.core + 1) % os.cores]) {
    const endpoint = yield* os.endpoint();
    const first = yield* spawn(os, "caller", [endpoint], { core, args: [1] });
    yield* settled(os, first);
    yield sys.recv(endpoint);
    const second = yield* spawn(os, "caller", [endpoint], { core, args: [2] });
    yield* settled(os, second);
    same(yield sys.recv(endpoint), 1, "the second call");
    same(sys.words[0], 2, "its word");
    same(yield* ended(os, first), [failed(Err.PEER_DIED)], "the first caller");
    same(yield sys.nbRecv(endpoint), Err.WOULD_BLOCK, "nobody");
    // It has changed nothing: the call is owed still, until there is a message.
    same((yield* thread.status(sys, second.handle)).state, 1, "the second caller waits");
    const third = yield* spawn(os, "caller", [endpoint], { core, args: [3] });
    yield* settled(os, third);
    same(yield sys.nbRecv(endpoint), 1, "the third call");
    same(yield* ended(os, second), [failed(Err.PEER_DIED)], "a receive that does not block lets go too");
    same(yield sys.nbRecv(endpoint), Err.WOULD_BLOCK, "nobody");
    sys.words[0] = 9;
    same(yield sys.reply(1), 0, "what was owed can be answered");
    same(yield* ended(os, third), [9], "the third caller");
    yield* drop(os, first, second, third);
  }
});

tests.add("replyTo wants a reply", function* (os) {
  const { sys } = os;
  const endpoint = yield* os.endpoint();
  same(yield sys.replyTo(endpoint, 0), Err.BAD_TYPE, "an endpoint");
  same(yield sys.replyTo(12345, 0), Err.BAD_CAP, "index 0");
  same(yield sys.replyTo(0.5, 0), Err.BAD_CAP, "a fraction");
  same(yield sys.replyTo(-1, 0), Err.BAD_CAP, "negative");
});

tests.add("a deleted saved reply fails its call with PEER_DIED", function* (os) {
  const { sys, environment } = os;
  for (const core of [os.core, (os.core + 1) % os.cores]) {
    const endpoint = yield* os.endpoint();
    const it = yield* spawn(os, "caller", [endpoint], { core, args: [1] });
    yield* settled(os, it);
    yield sys.recv(endpoint);
    const slot = os.slots.take();
    same(yield sys.saveReply(slot), 0, "saved");
    yield* cnode.delete(sys, environment.cnode, slot);
    same(yield* ended(os, it), [failed(Err.PEER_DIED)], "the caller");
    yield* drop(os, it);
  }
});

tests.add("a reply is neither copied nor sent", function* (os) {
  const { sys, environment } = os;
  const endpoint = yield* os.endpoint();
  const it = yield* spawn(os, "caller", [endpoint], { args: [1] });
  yield sys.recv(endpoint);
  const slot = os.slots.take();
  yield sys.saveReply(slot);
  const reply = sys.capability(0);
  const to = os.slots.take();
  same(yield* invoke(sys, environment.cnode, 0x20, to, reply, Right.ALL), Err.UNSUPPORTED, "copy");
  same(yield* invoke(sys, environment.cnode, 0x21, to, reply, Right.ALL, 5), Err.UNSUPPORTED, "mint");
  same((yield* cnode.inspect(sys, environment.cnode, slot)).type, ObjectType.REPLY, "type");
  same(yield sys.call(reply, 0), Err.BAD_TYPE, "call");
  same(yield sys.send(reply, 0), Err.BAD_TYPE, "send");
  sys.words[0] = 3;
  same(yield sys.replyTo(reply, 1), 0, "reply");
  same(yield* ended(os, it), [3], "answer");
  yield* drop(os, it);
});

tests.add("more than 64 words is a RANGE error of every message trap", function* (os) {
  const { sys } = os;
  const endpoint = yield* os.endpoint();
  for (const count of [65, 255, 256, -1, 2 ** 31, 1e300]) {
    if (count >>> 0 <= 64) continue;
    same(yield sys.send(endpoint, count), Err.RANGE, `send ${count}`);
    same(yield sys.call(endpoint, count), Err.RANGE, `call ${count}`);
    same(yield sys.nbSend(endpoint, count), Err.RANGE, `nbSend ${count}`);
    same(yield sys.reply(count), Err.RANGE, `reply ${count}`);
    same(yield sys.replyRecv(endpoint, count), Err.RANGE, `replyRecv ${count}`);
  }
});

tests.add("a number that is no trap answers UNSUPPORTED, one with too many capabilities RANGE", function* () {
  for (const trap of [0, 16, 99, 255]) same(yield trap, Err.UNSUPPORTED, `trap ${trap}`);
  for (const trap of [3 | (5 << 16), 1 | (15 << 16), 3 | (1 << 24), 0x7fff_ffff])
    same(yield trap, Err.RANGE, `trap ${trap}`);
});

tests.add("yield and nothing answer 0", function* (os) {
  same(yield os.sys.yield(), 0, "yield");
  same(yield os.sys.nothing(), 0, "nothing");
  same(yield 15, 0, "preempted");
});

export default function* main(sys: Sys) {
  return yield* perform(start(sys), tests, roles);
}
