/** Who comes first: queues of endpoints and notifications, run queues, preemption; and where an endpoint is at home. */
import { Err, Method, type Sys } from "@capos/abi";
import { type Os, type SpawnedThread, type Steps, start } from "@capos/libos";
import {
  badged,
  debug,
  drop,
  ended,
  GuestTests,
  invoke,
  OWN_PRIORITY,
  onCores,
  perform,
  type Role,
  same,
  setPriority,
  settled,
  spawn,
  thread,
  truly,
  work,
} from "./support/kit.js";

/** Sends a number to this guest's first thread, and waits until it has it. */
function* tell(os: Os, endpoint: number, value: number): Steps<void> {
  os.sys.words[0] = value;
  yield os.sys.send(endpoint, 1);
}

/** Has a number written down by a thread with the role "log", which is more urgent than everybody. */
function* note(os: Os, log: number, value: number): Steps<void> {
  os.sys.words[0] = value;
  yield os.sys.call(log, 1);
}

const READ = -1;

/** The state of a thread that waits at an object of its own core. */
const QUEUED = 3;

const roles: Record<string, Role> = {
  /** Writes numbers down; answers READ with all of them. */
  *log(os) {
    const { sys, handed } = os;
    const notes: number[] = [];
    for (yield sys.recv(handed[0]); ; ) {
      const value = sys.words[0];
      if (value !== READ) {
        notes.push(value);
        yield sys.replyRecv(handed[0], 0);
      } else {
        notes.forEach((it, i) => {
          sys.words[i] = it;
        });
        yield sys.replyRecv(handed[0], notes.length);
      }
    }
  },

  /** Sends the number in its arguments. */
  *one(os) {
    os.sys.words[0] = Number(os.args[1]);
    return -(yield os.sys.send(os.handed[0], 1));
  },

  /** Calls with the number in its arguments; ends with the answer. */
  *caller(os) {
    os.sys.words[0] = Number(os.args[1]);
    const n = yield os.sys.call(os.handed[0], 1);
    return n < 0 ? -n : os.sys.words[0];
  },

  /** Receives once, then tells who it is. */
  *receiver(os) {
    yield os.sys.recv(os.handed[0]);
    yield* tell(os, os.handed[1], Number(os.args[1]));
    return 0;
  },

  /** Receives once, then tells word and count; 8 where the wait was ended. */
  *passesOn(os) {
    const n = yield os.sys.recv(os.handed[0]);
    yield* tell(os, os.handed[1], n < 0 ? 8 : os.sys.words[0] * 10 + n);
    return 0;
  },

  /** Waits once, then tells who it is. */
  *waiter(os) {
    yield os.sys.wait(os.handed[0]);
    yield* tell(os, os.handed[1], Number(os.args[1]));
    return 0;
  },

  /** Waits once, then notes who it is. */
  *notesWhenWoken(os) {
    yield os.sys.wait(os.handed[0]);
    yield* note(os, os.handed[1], Number(os.args[1]));
    return 0;
  },

  /** Waits for the start, then notes who it is, gives way and notes again, so many times. */
  *turns(os) {
    yield os.sys.recv(os.handed[0]);
    for (let i = 0; i < 5; i++) {
      yield* note(os, os.handed[1], Number(os.args[1]));
      yield os.sys.yield();
    }
    return 0;
  },

  /** Waits for a start, then notifies and goes on; the notes say when. */
  *waker(os) {
    const [begin, wakes, record] = os.handed;
    yield os.sys.wait(begin!);
    yield* note(os, record!, 1);
    yield os.sys.notify(wakes!);
    yield* note(os, record!, 2);
    return 0;
  },

  /** Waits for a start, then calls; notes before and after. */
  *callsAndNotes(os) {
    const [begin, server, record] = os.handed;
    yield os.sys.wait(begin!);
    yield* note(os, record!, 1);
    yield os.sys.call(server!, 0);
    yield* note(os, record!, 2);
    return 0;
  },

  /** Notes each call before and after it answers it. */
  *serverNotes(os) {
    const [server, record] = os.handed;
    for (yield os.sys.recv(server!); ; ) {
      yield* note(os, record!, 10);
      yield os.sys.reply(0);
      yield* note(os, record!, 11);
      yield os.sys.recv(server!);
    }
  },

  /** Keeps its core from halting. */
  *traps(os) {
    for (;;) yield os.sys.nothing();
  },

  *callsTwice(os) {
    yield os.sys.call(os.handed[0], 0);
    return -(yield os.sys.call(os.handed[0], 0));
  },

  /** Answers one call, once it is told to. */
  *answersOne(os) {
    yield os.sys.wait(os.handed[1]);
    yield os.sys.notify(os.handed[2]);
    yield os.sys.recv(os.handed[0]);
    return -(yield os.sys.reply(0));
  },

  /** Sends numbers from its first on, every so many of them. */
  *source(os) {
    const from = Number(os.args[1]);
    for (let i = 0; i < Number(os.args[2]); i++) {
      os.sys.words[0] = from + i;
      if ((yield os.sys.send(os.handed[0], 1)) !== 0) return 1;
    }
    return 0;
  },

  /** Receives till a negative number comes and passes each on; receives as its arguments say. */
  *sink(os) {
    const [endpoint, record] = os.handed;
    for (;;) {
      const n = os.args[1] === "nb" ? yield os.sys.nbRecv(endpoint!) : yield os.sys.recv(endpoint!);
      if (n === Err.WOULD_BLOCK) {
        yield os.sys.yield();
        continue;
      }
      if (n !== 1) return 1;
      const value = os.sys.words[0];
      yield* tell(os, record!, value);
      if (value < 0) return 0;
    }
  },

  /** Echoes, for ever. */
  *echo(os) {
    for (let n = yield os.sys.recv(os.handed[0]); ; ) n = yield os.sys.replyRecv(os.handed[0], n);
  },

  /** Counts how often it hears from another than before, so many times; then it tells. */
  *tally(os) {
    const [endpoint, back] = os.handed;
    let last = -1;
    let changes = 0;
    for (let n = yield os.sys.recv(endpoint!); changes < Number(os.args[1]); ) {
      if (os.sys.words[0] !== last) changes++;
      last = os.sys.words[0];
      n = os.sys.words[1] === 1 ? yield os.sys.replyRecv(endpoint!, 0) : yield os.sys.recv(endpoint!);
      if (n < 0) return 1;
    }
    yield* tell(os, back!, changes);
    return 0;
  },

  /** Calls, or sends, who it is, all the time. */
  *rival(os) {
    const { sys, handed, args } = os;
    for (let n = 0; n >= 0; ) {
      work(300);
      sys.words[0] = Number(args[1]);
      sys.words[1] = args[2] === "calls" ? 1 : 0;
      n = args[2] === "calls" ? yield sys.call(handed[0], 2) : yield sys.send(handed[0], 2);
    }
    return 0;
  },

  /** Keeps its core from safe points for a while, again and again. */
  *busy(os) {
    for (;;) {
      work(200_000);
      yield os.sys.nothing();
    }
  },

  /** Receives, and tells messages from bits of its bound notification: sums of each, till the message -1. */
  *boundServer(os) {
    const { sys, handed } = os;
    const [endpoint, record] = handed;
    let messages = 0;
    let bits = 0;
    let rounds = 0;
    for (;;) {
      const n = yield sys.recv(endpoint!);
      rounds++;
      if (sys.notified()) {
        if (n !== 0 || sys.badge() === 0) return 1;
        bits |= sys.badge();
        sys.words[0] = 1;
        sys.words[1] = sys.badge();
        yield sys.send(record!, 2);
        continue;
      }
      if (n !== 1) return 2;
      const value = sys.words[0];
      if (value < 0) {
        sys.words[0] = messages;
        sys.words[1] = bits;
        sys.words[2] = rounds;
        yield sys.reply(3);
        return 0;
      }
      messages += value;
      if (sys.badge() !== 0) return 3;
      yield sys.reply(1);
    }
  },

  /** Calls with 1 so many times. */
  *adder(os) {
    for (let i = 0; i < Number(os.args[1]); i++) {
      os.sys.words[0] = 1;
      if ((yield os.sys.call(os.handed[0], 1)) !== 1) return 1;
    }
    return 0;
  },

  /** Signals so many times, each time with the one capability it has. */
  *signaller(os) {
    for (let i = 0; i < Number(os.args[1]); i++) {
      if ((yield os.sys.notify(os.handed[0])) !== 0) return 1;
      if (i % 3 === 0) yield os.sys.yield();
    }
    return 0;
  },
};

export const tests = new GuestTests();

/** Cores in turn, for a mixed queue. */
const turn = (os: Os, i: number): number => (os.core + i) % os.cores;

/** Receives so many numbers. */
function* record(os: Os, endpoint: number, count: number): Steps<number[]> {
  const values: number[] = [];
  for (let i = 0; i < count; i++) {
    same(yield os.sys.recv(endpoint), 1, "a note");
    values.push(os.sys.words[0]);
  }
  return values;
}

/** Priorities of waiting threads in the order of their coming, and the order in which they are to be served. */
const COMING = [60, 80, 60, 120, 80, 60, 149, 120, 61];
const SERVED = [6, 3, 7, 1, 4, 8, 0, 2, 5];

/** Who gets which priority while all wait: up and down, to one of its own, among others, and its own again. Then the order. */
const CHANGES = [
  [5, 149],
  [6, 60],
  [0, 121],
  [3, 80],
  [8, 61],
] as const;
const SERVED_AFTER = [5, 0, 7, 1, 4, 3, 8, 2, 6];

function* queueOrder(
  os: Os,
  role: string,
  coreOf: (i: number) => number,
  serve: (endpoint: number, back: number) => Steps<number[]>,
  make: number,
  changes: typeof CHANGES | null,
): Steps<void> {
  const back = yield* os.endpoint();
  const waiting: SpawnedThread[] = [];
  for (let i = 0; i < COMING.length; i++) {
    waiting.push(yield* spawn(os, role, [make, back], { core: coreOf(i), priority: COMING[i], args: [i] }));
    yield* settled(os, ...waiting);
  }
  for (const [i, priority] of changes ?? []) yield* setPriority(os, waiting[i].handle, priority);
  same(yield* serve(make, back), changes === null ? SERVED : SERVED_AFTER, "served");
  yield* ended(os, ...waiting);
  yield* drop(os, ...waiting);
}

const PLACES = [
  ["same core", (os: Os) => os.core],
  ["across cores", (os: Os) => turn(os, 1)],
  ["mixed cores", (os: Os, i: number) => turn(os, i)],
] as const;

/** With the priorities that they came with, and with those that they were given meanwhile. */
const ORDERS = [
  ["first come first served within one", null],
  ["where they were given another they stand behind those who had it", CHANGES],
] as const;

for (const [[where, coreOf], [order, changes]] of PLACES.flatMap((place) =>
  ORDERS.map((how) => [place, how] as const),
)) {
  tests.add(`queued senders are served by priority: ${order} (${where})`, function* (os) {
    const serve = (endpoint: number) => record(os, endpoint, COMING.length);
    yield* queueOrder(os, "one", (i) => coreOf(os, i), serve, yield* os.endpoint(), changes);
  });

  tests.add(`queued callers are served by priority: ${order} (${where})`, function* (os) {
    const { sys } = os;
    function* serve(endpoint: number): Steps<number[]> {
      const values: number[] = [];
      for (let n = yield sys.recv(endpoint); ; n = yield sys.replyRecv(endpoint, n)) {
        values.push(sys.words[0]);
        if (values.length === COMING.length) break;
      }
      yield sys.reply(1);
      return values;
    }
    yield* queueOrder(os, "caller", (i) => coreOf(os, i), serve, yield* os.endpoint(), changes);
  });

  tests.add(`waiting receivers get messages by priority: ${order} (${where})`, function* (os) {
    function* serve(endpoint: number, back: number): Steps<number[]> {
      const values: number[] = [];
      for (let i = 0; i < COMING.length; i++) {
        yield os.sys.send(endpoint, 0);
        values.push(...(yield* record(os, back, 1)));
      }
      return values;
    }
    yield* queueOrder(os, "receiver", (i) => coreOf(os, i), serve, yield* os.endpoint(), changes);
  });

  tests.add(`waiters at a notification are woken by priority: ${order} (${where})`, function* (os) {
    function* serve(notification: number, back: number): Steps<number[]> {
      const values: number[] = [];
      for (let i = 0; i < COMING.length; i++) {
        yield os.sys.notify(notification);
        values.push(...(yield* record(os, back, 1)));
      }
      return values;
    }
    yield* queueOrder(os, "waiter", (i) => coreOf(os, i), serve, yield* os.notification(), changes);
  });
}

/** A log, and the thread that keeps it. */
function* makeLog(os: Os, core: number): Steps<{ log: number; keeper: SpawnedThread }> {
  const log = yield* os.endpoint();
  const keeper = yield* spawn(os, "log", [log], { core, priority: 149 });
  yield* settled(os, keeper);
  return { log, keeper };
}

/** What the log says once it has so many entries. */
function* readLog(os: Os, log: number, count: number): Steps<number[]> {
  for (;;) {
    os.sys.words[0] = READ;
    const n = yield os.sys.call(log, 1);
    if (n >= count) return Array.from({ length: n }, (_, i) => os.sys.words[i]);
    // Lower threads of this core run while this one waits.
    yield* debug.gracePeriod(os.sys, os.environment.debug);
  }
}

onCores(tests, "threads of one priority take turns when they yield", function* (os, core) {
  const begin = yield* os.endpoint();
  const { log, keeper } = yield* makeLog(os, core);
  const threads: SpawnedThread[] = [];
  for (let i = 0; i < 3; i++) threads.push(yield* spawn(os, "turns", [begin, log], { core, args: [i] }));
  yield* settled(os, ...threads);
  // All three are ready before one of them runs: who starts them is more urgent.
  const starter = yield* spawn(os, "source", [begin], { core, priority: 110, args: [0, 3] });
  const seen = yield* readLog(os, log, 15);
  for (let i = 0; i < 3; i++) same(seen.filter((it) => it === i).length, 5, `turns of ${i}`);
  const counts = [0, 0, 0];
  for (const it of seen) {
    counts[it]++;
    // One apart, and one more each time that a quantum ended in the middle of a turn.
    truly(Math.max(...counts) - Math.min(...counts) <= 3, `turns ${seen}`);
  }
  yield* ended(os, ...threads);
  yield* drop(os, keeper, starter, ...threads);
});

onCores(
  tests,
  "endless loops of one priority share a core by quanta, and with a thread that traps",
  function* (os, core) {
    const endpoint = yield* os.endpoint();
    const spinners = [
      yield* spawn(os, "spin", [endpoint], { core, priority: 50 }),
      yield* spawn(os, "spin", [endpoint], { core, priority: 50 }),
    ];
    const echo = yield* spawn(os, "echo", [endpoint], { core, priority: 50 });
    // Each answer needs a turn of the server's; on this core, of this thread's too.
    for (let i = 0; i < 10; i++) same(yield os.sys.call(endpoint, 0), 0, "answer");
    yield* drop(os, ...spinners, echo);
  },
);

for (const [urgency, first, second] of [
  [120, "calls", "calls"],
  [120, "sends", "sends"],
  [120, "sends", "calls"],
  [100, "calls", "calls"],
] as const) {
  onCores(
    tests,
    `equals take turns although each ${first === second ? first : "sends or calls"} all the time, to who is ${urgency === 100 ? "as" : "more"} urgent`,
    function* (os, core) {
      const endpoint = yield* os.endpoint();
      const back = yield* os.endpoint();
      const tally = yield* spawn(os, "tally", [endpoint, back], { core, priority: urgency, args: [100] });
      yield* settled(os, tally);
      // On this core the first would keep this thread from starting the second.
      yield* setPriority(os, os.environment.thread, 130);
      const rivals = [
        yield* spawn(os, "rival", [endpoint], { core, args: [1, first] }),
        yield* spawn(os, "rival", [endpoint], { core, args: [2, second] }),
      ];
      same(yield* record(os, back, 1), [100], "changes of turn");
      yield* drop(os, tally, ...rivals);
      yield* setPriority(os, os.environment.thread, OWN_PRIORITY);
    },
  );
}

onCores(
  tests,
  "a thread of higher priority that is woken preempts an endless loop at once, by quantum or not",
  function* (os, core) {
    const { sys } = os;
    const begin = yield* os.notification();
    const back = yield* os.endpoint();
    const high = yield* spawn(os, "waiter", [begin, back], { core, priority: 120, args: [9] });
    yield* settled(os, high);
    // No other thread is ready there: no quantum runs. On this core the loop is below this thread.
    const loop = yield* spawn(os, "spin", [], { core, priority: core === os.core ? 40 : 110 });
    yield sys.notify(begin);
    same(yield* record(os, back, 1), [9], "woken");
    yield* drop(os, loop, high);
  },
);

onCores(
  tests,
  "a loop of higher priority keeps a lower thread from running, and its end lets it run",
  function* (os, core) {
    if (core === os.core) return;
    const back = yield* os.endpoint();
    const loop = yield* spawn(os, "spin", [], { core, priority: 110 });
    const low = yield* spawn(os, "one", [back], { core, priority: 60, args: [3] });
    // Many quanta of this core's, and each a chance for it.
    for (let i = 0; i < 50; i++) {
      work(100_000);
      same(yield os.sys.nbRecv(back), Err.WOULD_BLOCK, "the low thread has not run");
    }
    yield* drop(os, loop);
    same(yield* record(os, back, 1), [3], "the low thread");
    yield* drop(os, low);
  },
);

onCores(
  tests,
  "waking a thread of higher priority runs it first, of the same or a lower one later",
  function* (os, core) {
    for (const [priority, order] of [
      [120, [1, 9, 2]],
      [100, [1, 2, 9]],
      [80, [1, 2, 9]],
    ] as const) {
      const begin = yield* os.notification();
      const wakes = yield* os.notification();
      const { log, keeper } = yield* makeLog(os, core);
      const woken = yield* spawn(os, "notesWhenWoken", [wakes, log], { core, priority, args: [9] });
      const waker = yield* spawn(os, "waker", [begin, wakes, log], { core, priority: 100 });
      yield* settled(os, woken, waker);
      yield os.sys.notify(begin);
      same(yield* readLog(os, log, 3), order, `priority ${priority}`);
      yield* ended(os, woken, waker);
      yield* drop(os, keeper, woken, waker);
    }
  },
);

onCores(
  tests,
  "a call runs the server before its caller goes on; a server of lower priority answers all the same",
  function* (os, core) {
    for (const priority of [120, 100, 80]) {
      const begin = yield* os.notification();
      const server = yield* os.endpoint();
      const { log, keeper } = yield* makeLog(os, core);
      const serves = yield* spawn(os, "serverNotes", [server, log], { core, priority });
      const calls = yield* spawn(os, "callsAndNotes", [begin, server, log], { core, priority: 100 });
      yield* settled(os, serves, calls);
      yield os.sys.notify(begin);
      // 11 comes before 2 if the server is not less urgent: a reply wakes the caller and switches to nobody.
      const seen = yield* readLog(os, log, 4);
      same(seen, priority >= 100 ? [1, 10, 11, 2] : [1, 10, 2, 11], `priority ${priority}`);
      yield* drop(os, keeper, serves, calls);
    }
  },
);

onCores(
  tests,
  "a lower priority takes effect at once: a more urgent thread that is ready runs",
  function* (os, core) {
    const { sys } = os;
    const back = yield* os.endpoint();
    const loop = yield* spawn(os, "spin", [], { core, priority: core === os.core ? 40 : 110 });
    const low = yield* spawn(os, "one", [back], { core, priority: core === os.core ? 30 : 100, args: [4] });
    same(yield* invoke(sys, loop.handle, Method.THREAD_PRIORITY, 20), 0, "priority");
    same((yield* thread.status(sys, loop.handle)).priority, 20, "status");
    same(yield* record(os, back, 1), [4], "it runs");
    yield* drop(os, loop, low);
  },
);

tests.add(
  "the home follows the receiver: receivers on all cores in turn, every message arrives exactly once",
  function* (os) {
    const endpoint = yield* os.endpoint();
    const back = yield* os.endpoint();
    const count = 300;
    const sinks: SpawnedThread[] = [];
    for (let i = 0; i < os.cores * 2; i++) {
      // Those that poll are no more urgent than this thread, or it would never run.
      const as = i % 2 === 0 ? {} : { args: ["nb"], priority: 50 };
      sinks.push(yield* spawn(os, "sink", [endpoint, back], { core: turn(os, i), ...as }));
    }
    const sources: SpawnedThread[] = [];
    for (let i = 0; i < os.cores; i++)
      sources.push(yield* spawn(os, "source", [endpoint], { core: turn(os, i), args: [i * count, count] }));
    const seen = yield* record(os, back, count * os.cores);
    same(
      [...seen].sort((a, b) => a - b),
      seen.map((_, i) => i),
      "every message once",
    );
    same(
      yield* ended(os, ...sources),
      sources.map(() => 0),
      "sources",
    );
    // Each sink passes its end on after it took it.
    for (let i = 0; i < sinks.length; i++) {
      os.sys.words[0] = -1;
      yield os.sys.send(endpoint, 1);
      yield* record(os, back, 1);
    }
    same(
      yield* ended(os, ...sinks),
      sinks.map(() => 0),
      "sinks",
    );
    yield* drop(os, ...sinks, ...sources);
  },
);

tests.add("a request at a former home is bounced to its sender and arrives", function* (os) {
  const { sys, environment } = os;
  function* bounces(): Steps<number> {
    let sum = 0;
    for (let core = 0; core < os.cores; core++) {
      same(yield* invoke(sys, environment.debug, Method.DEBUG_CORE, core), 8, "counters");
      sum += sys.words[6];
    }
    return sum;
  }
  const before = yield* bounces();
  const endpoint = yield* os.endpoint();
  const go = yield* os.notification();
  const ready = yield* os.notification();
  const away = turn(os, 1);
  // A client calls twice, with nothing in between that makes it look its handle up again, as a core that halts does.
  const awake = yield* spawn(os, "traps", [], { core: away, priority: 20 });
  // A core that halts looks everything up anew: this one never does.
  const busy = yield* spawn(os, "spin", [endpoint], { core: away, priority: 1 });
  for (let i = 0; i < 300 && (yield* bounces()) <= before; i++) {
    same(yield sys.nbRecv(endpoint), Err.WOULD_BLOCK, "the endpoint comes home");
    yield* debug.gracePeriod(sys, environment.debug);
    // Before the first call: to spawn a thread may take a grace period.
    const server = yield* spawn(os, "answersOne", [endpoint, go, ready], { core: away, slots: 1 });
    yield* settled(os, server);
    const client = yield* spawn(os, "callsTwice", [endpoint], { core: away, slots: 1 });
    same(yield sys.recv(endpoint), 0, "the first call, at home here");
    yield sys.notify(go);
    yield sys.wait(ready);
    // It waits at the endpoint, which has moved to it. No grace period: the client would look again.
    while ((yield* thread.status(sys, server.handle)).ipcState !== QUEUED) yield sys.yield();
    // The call received is not let go by a status.
    same(yield sys.reply(0), 0, "the answer to the first call");
    same(yield* ended(os, client, server), [0, 0], "client and server");
    yield* drop(os, client, server);
  }
  yield* drop(os, awake);
  truly((yield* bounces()) > before, "some were bounced");
  yield* drop(os, busy);
});

onCores(
  tests,
  "a bound notification ends a receive: bits before it, during it, and each receive brings a message or bits",
  function* (os, core) {
    const { sys } = os;
    // The endpoint at home with the receiver, or kept at home elsewhere by a receiver that waits there.
    for (const remote of [false, true]) {
      const endpoint = yield* os.endpoint();
      const back = yield* os.endpoint();
      const notification = yield* os.notification();
      const bit = yield* badged(os, notification, 1 << 5);
      const holderCore = (core + 1) % os.cores;
      const holder = remote ? yield* spawn(os, "echo", [endpoint], { core: holderCore, priority: 60 }) : null;
      if (holder !== null) yield* settled(os, holder);
      const server = yield* spawn(os, "boundServer", [endpoint, back], { core, priority: 120 });
      yield* settled(os, server);
      same(yield* invoke(sys, server.handle, Method.THREAD_BIND, notification), 0, "bind");
      same(yield* invoke(sys, server.handle, Method.THREAD_BIND, notification), Err.BUSY, "bind twice");
      for (let i = 0; i < 5; i++) {
        same(yield sys.notify(bit), 0, "notify");
        same(yield sys.recv(back), 2, "the server was woken");
        same([sys.words[0], sys.words[1]], [1, 32], "by the bit");
        if (i % 2 === 0) yield* settled(os, server);
      }
      // It receives again, and messages come: it is before the holder in the queue.
      yield* settled(os, server);
      sys.words[0] = 7;
      same(yield sys.call(endpoint, 1), 1, "a message");
      yield* settled(os, server);
      sys.words[0] = -1;
      same(yield sys.call(endpoint, 1), 3, "the sums");
      same([sys.words[0], sys.words[1], sys.words[2]], [7, 32, 7], "messages, bits, receives");
      same(yield* ended(os, server), [0], "the server");
      yield* drop(os, server);
      if (holder !== null) yield* drop(os, holder);
    }
  },
);

onCores(tests, "a bit that is there before the bind ends the receive too", function* (os, core) {
  const { sys } = os;
  const endpoint = yield* os.endpoint();
  const back = yield* os.endpoint();
  const notification = yield* os.notification();
  yield sys.notify(notification);
  const server = yield* spawn(os, "boundServer", [endpoint, back], { core });
  yield* settled(os, server);
  same(yield* invoke(sys, server.handle, Method.THREAD_BIND, notification), 0, "bind");
  same(yield sys.recv(back), 2, "woken");
  same(sys.words[1], 1, "by the bit");
  yield* drop(os, server);
});

onCores(
  tests,
  "signals and messages race for a bound thread: no message and no bit is lost",
  function* (os, core) {
    const { sys } = os;
    const endpoint = yield* os.endpoint();
    const back = yield* os.endpoint();
    const notification = yield* os.notification();
    const holder = yield* spawn(os, "echo", [endpoint], { core: (core + 1) % os.cores, priority: 60 });
    yield* settled(os, holder);
    const server = yield* spawn(os, "boundServer", [endpoint, back], { core, priority: 120 });
    same(yield* invoke(sys, server.handle, Method.THREAD_BIND, notification), 0, "bind");
    yield* settled(os, server);
    const others: SpawnedThread[] = [];
    for (let i = 0; i < 4; i++) {
      others.push(yield* spawn(os, "adder", [endpoint], { core: turn(os, i), args: [150] }));
      const bit = yield* badged(os, notification, 1 << i);
      others.push(yield* spawn(os, "signaller", [bit], { core: turn(os, i + 1), args: [150] }));
    }
    // Take what the server says until all have ended.
    let bits = 0;
    for (;;) {
      const n = yield sys.nbRecv(back);
      if (n === 2) bits |= sys.words[1];
      else {
        let running = 0;
        for (const it of others) if ((yield* thread.status(sys, it.handle)).state === 1) running++;
        if (running === 0) break;
        yield* debug.gracePeriod(sys, os.environment.debug);
      }
    }
    same(
      yield* ended(os, ...others),
      others.map(() => 0),
      "clients and signallers",
    );
    for (let n = yield sys.nbRecv(back); n === 2; n = yield sys.nbRecv(back)) bits |= sys.words[1];
    yield* settled(os, server);
    for (let n = yield sys.nbRecv(back); n === 2; n = yield sys.nbRecv(back)) bits |= sys.words[1];
    const { state, exitReason } = yield* thread.status(sys, server.handle);
    same([state, exitReason], [1, 0], "the server goes on");
    same(bits, 15, "bits");
    yield* drop(os, holder, server, ...others);
  },
);

onCores(
  tests,
  "a receiver woken in the middle of another's trap waits for its turn (its slot was deleted)",
  function* (os, core) {
    const { sys, environment } = os;
    for (let i = 0; i < 5; i++) {
      const endpoint = yield* os.endpoint();
      const copy = yield* os.copy(endpoint, 255);
      const back = yield* os.endpoint();
      // More urgent than this thread: on this core the send below finds its wait dead and wakes it.
      const high = yield* spawn(os, "passesOn", [copy, back], { core, priority: 120 });
      yield* settled(os, high);
      yield* os.drop(copy);
      yield* debug.gracePeriod(sys, environment.debug);
      const low = yield* spawn(os, "passesOn", [endpoint, back], { core, priority: 45 });
      if (core !== os.core) yield* settled(os, low);
      sys.words[0] = 55;
      same(yield sys.send(endpoint, 1), 0, "send");
      same([...(yield* record(os, back, 2))].sort(), [551, 8], "the message, and the wait that is over");
      // It would not run while this thread looks whether it has ended.
      if (core === os.core) yield* setPriority(os, low.handle, 100);
      same(yield* ended(os, high, low), [0, 0], "receivers");
      yield* drop(os, high, low);
    }
  },
);

export default function* main(sys: Sys) {
  const os = start(sys);
  // An endless loop that may be preempted stands here: a role, being a value, may not yield to the kernel by itself.
  if (os.args[0] === "spin") for (;;) work(1);
  return yield* perform(os, tests, roles);
}
