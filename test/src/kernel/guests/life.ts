/** How threads and processes end, in every state and on every core, and what becomes of those who dealt with them. */
import { Err, LifeState, Method, ObjectType, type Sys } from "@capos/abi";
import {
  cnode,
  type Os,
  type SpawnedThread,
  type Steps,
  spawnThread,
  start,
  waitForProcess,
} from "@capos/libos";
import {
  badged,
  childEnded,
  debug,
  drop,
  ended,
  failed,
  GuestTests,
  gone,
  invoke,
  onCores,
  perform,
  process,
  type Role,
  same,
  setPriority,
  settled,
  spawn,
  spawnChild,
  thread,
  truly,
  watch,
  work,
} from "./support/kit.js";

const roles: Record<string, Role> = {
  *echo(os) {
    for (let n = yield os.sys.recv(os.handed[0]); ; ) n = yield os.sys.replyRecv(os.handed[0], n);
  },

  /** Sends, calls, receives or waits once; ends with the error, or the first word of what it got. */
  *send(os) {
    os.sys.words[0] = Number(os.args[1]);
    return -(yield os.sys.send(os.handed[0], 1));
  },
  *call(os) {
    os.sys.words[0] = Number(os.args[1]);
    const n = yield os.sys.call(os.handed[0], Number(os.args[2] ?? 1));
    return n < 0 ? -n : os.sys.words[0] & 127;
  },
  *recv(os) {
    const n = yield os.sys.recv(os.handed[0]);
    return n < 0 ? -n : os.sys.words[0];
  },
  *ends(os) {
    yield os.sys.nothing();
    return Number(os.args[1]);
  },
  *faults(os) {
    yield os.sys.nothing();
    throw new Error(`told to: ${os.args[1]}`);
  },
  *wait(os) {
    const n = yield os.sys.wait(os.handed[0]);
    return n < 0 ? -n : os.sys.badge();
  },

  /** Makes this core the home of an endpoint or notification. */
  *takeHome(os) {
    if (os.args[1] === "notification") {
      yield os.sys.notify(os.handed[0]);
      return -(yield os.sys.wait(os.handed[0]));
    }
    const n = yield os.sys.nbRecv(os.handed[0]);
    // The former home reads that it is to be.
    yield* debug.gracePeriod(os.sys, os.environment.debug);
    return n === Err.WOULD_BLOCK ? 0 : 1;
  },

  /** Receives a call, and then waits for ever without an answer. */
  *hold(os) {
    yield os.sys.recv(os.handed[0]);
    yield os.sys.wait(os.handed[1]);
    return 0;
  },

  /** Receives a call, saves the reply, and waits for ever. */
  *save(os) {
    yield os.sys.recv(os.handed[0]);
    if ((yield os.sys.saveReply(os.slots.take())) !== 0) return 1;
    yield os.sys.wait(os.handed[1]);
    return 0;
  },

  /** Receives a call, saves the reply, and ends or faults as its arguments say. */
  *saveAndEnd(os) {
    yield os.sys.recv(os.handed[0]);
    if ((yield os.sys.saveReply(os.slots.take())) !== 0) return 1;
    if (os.args[1] === "fault") throw new Error("as told");
    return 3;
  },

  /** Receives a call and ends or faults with it, as its arguments say. */
  *takeAndEnd(os) {
    yield os.sys.recv(os.handed[0]);
    if (os.args[1] === "fault") throw new Error("as told");
    return 3;
  },

  /** Ends, or faults. */
  *end(os) {
    yield os.sys.nothing();
    if (os.args[1] === "fault") throw new Error("as told");
    return 5;
  },

  /** Calls an endpoint so many times; ends with 0 if each call ended by an answer or PEER_DIED. */
  *client(os) {
    const { sys, handed } = os;
    for (let i = 0; i < Number(os.args[1]); i++) {
      const count = i % 7;
      sys.words[0] = i;
      const n = yield sys.call(handed[0], count);
      if (n !== count && n !== Err.PEER_DIED) return -n;
      if (n > 0 && sys.words[0] !== i) return 99;
    }
    return 0;
  },

  /** Answers each call with ten words. */
  *longEcho(os) {
    for (yield os.sys.recv(os.handed[0]); ; ) yield os.sys.replyRecv(os.handed[0], 10);
  },

  /** A process with threads everywhere: each does what its arguments say. */
  *family(os) {
    const [endpoint, notification] = os.handed;
    const { sys } = os;
    for (let i = 0; i < os.cores * 2; i++) {
      yield* spawnThread(os, {
        core: i % os.cores,
        args: ["member", String(i)],
        handed: [endpoint!, notification!],
        slots: 1,
        priority: 40,
      });
    }
    yield sys.send(endpoint!, 0);
    yield sys.wait(notification!);
    return 0;
  },

  /** A thread of the family: half of them wait for a message, the others for a signal. */
  *member(os) {
    const [endpoint, notification] = os.handed;
    const own = Number(os.args[1]);
    if (own % 2 === 0) yield os.sys.wait(notification!);
    else yield os.sys.call(endpoint!, 1);
    return 0;
  },

  /** Starts with a gate, then calls. */
  *gatedCaller(os) {
    yield os.sys.recv(os.handed[0]);
    os.sys.words[0] = Number(os.args[1]);
    const n = yield os.sys.call(os.handed[1], 1);
    return n === 1 && os.sys.words[0] === Number(os.args[1]) + 1 ? 0 : 1;
  },

  /** Starts with a gate, then sends for ever. */
  *gatedSender(os) {
    yield os.sys.recv(os.handed[0]);
    os.sys.words[0] = 5;
    return -(yield os.sys.send(os.handed[1], 5));
  },

  /** Opens a gate for so many. */
  *opener(os) {
    for (let i = 0; i < Number(os.args[1]); i++) yield os.sys.send(os.handed[0], 0);
    return 0;
  },

  /** Keeps its core from safe points so many times, then serves by calling back. */
  *nested(os) {
    const { sys, handed } = os;
    for (let i = 0; i < Number(os.args[1]); i++) {
      work(1_000_000);
      yield sys.nothing();
    }
    for (let n = yield sys.recv(handed[0]); ; ) {
      n = yield sys.call(handed[1], n);
      sys.words[0]++;
      n = yield sys.replyRecv(handed[0], n);
    }
  },

  /** Runs in code that has no safe point, for ever: condemned in the end. */
  *forever(os) {
    yield os.sys.notify(os.handed[0]);
    for (;;) work(1000);
  },

  /** Traps all the time. */
  *traps(os) {
    for (;;) yield os.sys.nothing();
  },

  /** Traps all the time, by calls. */
  *calls(os) {
    for (;;) yield os.sys.call(os.handed[0], 0);
  },

  /** Waits for one grace period after the other, so that it nearly always waits for one. */
  *grace(os) {
    for (;;) yield* debug.gracePeriod(os.sys, os.environment.debug);
  },

  /** Wakes when a process ends, and notes it. */
  *watcher(os) {
    yield os.sys.wait(os.handed[0]);
    os.sys.words[0] = os.sys.badge();
    yield os.sys.send(os.handed[1], 1);
    return 0;
  },
};

export const tests = new GuestTests();

/** Destroys a thread and sees that it has ended, that it is dead soon, and that a second time is no error. */
function* destroy(os: Os, it: SpawnedThread): Steps<void> {
  same(yield* invoke(os.sys, it.handle, Method.THREAD_DESTROY), 0, "destroy");
  same((yield* thread.status(os.sys, it.handle)).state, LifeState.KILLED, "its life");
  same(yield* invoke(os.sys, it.handle, Method.THREAD_DESTROY), 0, "destroy again");
  yield* gone(os, it);
}

/** Uses an endpoint from and to every core: a call of each to a server of each, and a send. */
function* usable(os: Os, endpoint: number): Steps<void> {
  for (let core = 0; core < os.cores; core++) {
    const server = yield* spawn(os, "echo", [endpoint], { core });
    for (let from = 0; from < os.cores; from++) {
      const client = yield* spawn(os, "call", [endpoint], { core: from, args: [77] });
      same(yield* ended(os, client), [77], `from core ${from} to core ${core}`);
      yield* drop(os, client);
    }
    yield* destroy(os, server);
    yield* drop(os, server);
  }
}

/** Moves an endpoint or notification, which is idle, to a core. */
function* moveHome(os: Os, object: number, core: number, kind = "endpoint"): Steps<void> {
  const it = yield* spawn(os, "takeHome", [object], { core, args: [kind], slots: 1 });
  same(yield* ended(os, it), [0], "home");
  yield* drop(os, it);
}

for (const role of ["send", "call", "recv", "wait"]) {
  for (const home of ["its own core", "another core"]) {
    onCores(
      tests,
      `a thread destroyed while it does ${role} in a queue at ${home} leaves the others in it`,
      function* (os, core) {
        const kind = role === "wait" ? "notification" : "endpoint";
        const object = yield* kind === "notification" ? os.notification() : os.endpoint();
        yield* moveHome(os, object, home === "its own core" ? core : (core + 1) % os.cores, kind);
        for (let victim = 0; victim < 3; victim++) {
          const queue: SpawnedThread[] = [];
          for (let i = 0; i < 3; i++) {
            // Its neighbours come from everywhere.
            const where = i === victim ? core : (os.core + i) % os.cores;
            queue.push(yield* spawn(os, role, [object], { core: where, args: [i + 1] }));
            yield* settled(os, ...queue);
          }
          const { sys } = os;
          yield* destroy(os, queue[victim]);
          const left = [0, 1, 2].filter((i) => i !== victim);
          const seen: number[] = [];
          for (const i of left) {
            if (role === "wait") {
              const bit = yield* badged(os, object, 10 + i);
              yield sys.notify(bit);
              seen.push((yield* ended(os, queue[i]))[0] - 10);
              yield* os.drop(bit);
            } else if (role === "recv") {
              sys.words[0] = 20 + i;
              same(yield sys.send(object, 1), 0, "send");
              seen.push((yield* ended(os, queue[i]))[0] - 20);
            } else {
              same(yield sys.recv(object), 1, "receive");
              seen.push(sys.words[0] - 1);
              if (role === "call") same(yield sys.reply(1), 0, "reply");
            }
          }
          same(seen, left, "who was served");
          if (role === "recv") same(yield sys.nbSend(object, 0), Err.WOULD_BLOCK, "nobody is left");
          if (role === "send" || role === "call")
            same(yield sys.nbRecv(object), Err.WOULD_BLOCK, "nobody is left");
          yield* ended(os, ...queue);
          yield* drop(os, ...queue);
        }
        if (kind === "endpoint") yield* usable(os, object);
      },
    );
  }
}

onCores(
  tests,
  "a thread destroyed in an endless loop, ready, or not yet started has ended",
  function* (os, core) {
    const { sys, environment } = os;
    // More urgent than this thread it would keep it from destroying it.
    const loop = yield* spawn(os, "spin", [], { core, priority: 49 });
    if (core !== os.core) while ((yield* thread.status(sys, loop.handle)).ipcState !== 2) yield sys.yield();
    const ready = yield* spawn(os, "spin", [], { core, priority: 48 });
    const inactive = yield* os.make(ObjectType.THREAD);
    yield* thread.configure(sys, inactive, environment.process, core, 10);
    const plain = yield* os.make(ObjectType.THREAD);
    same(yield* invoke(sys, inactive, Method.THREAD_DESTROY), 0, "not started");
    same(yield* invoke(sys, inactive, Method.THREAD_START), Err.BUSY, "start of a dead thread");
    same(yield* invoke(sys, plain, Method.THREAD_DESTROY), 0, "not configured");
    yield* destroy(os, ready);
    yield* destroy(os, loop);
    yield* drop(os, loop, ready);
  },
);

onCores(tests, "a thread can destroy itself", function* (os, core) {
  const { sys } = os;
  const it = yield* spawn(os, "destroysItself", [], { core });
  yield* gone(os, it);
  same((yield* thread.status(sys, it.handle)).state, LifeState.KILLED, "its life");
  yield* drop(os, it);
});

roles.destroysItself = function* (os) {
  yield* invoke(os.sys, os.environment.thread, Method.THREAD_DESTROY);
  return 1;
};

onCores(
  tests,
  "a reply to a caller that was destroyed is dropped, of 0, 4, 5 and 64 words, and the server goes on",
  function* (os, core) {
    const { sys } = os;
    for (const words of [0, 4, 5, 64]) {
      const endpoint = yield* os.endpoint();
      const caller = yield* spawn(os, "call", [endpoint], { core, args: [1] });
      yield* settled(os, caller);
      same(yield sys.recv(endpoint), 1, "the call");
      yield* destroy(os, caller);
      same(yield sys.reply(words), 0, "reply");
      const next = yield* spawn(os, "call", [endpoint], { core, args: [2] });
      same(yield sys.recv(endpoint), 1, "the next call");
      sys.words[0] = 9;
      same(yield sys.reply(1), 0, "reply");
      same(yield* ended(os, next), [9], "its answer");
      yield* drop(os, caller, next);
    }
  },
);

onCores(
  tests,
  "callers destroyed while the answer is on its way are dead soon, whatever its length",
  function* (os, core) {
    for (const server of ["echo", "longEcho"]) {
      for (let home = 0; home < os.cores; home++) {
        const endpoint = yield* os.endpoint();
        const serves = yield* spawn(os, server, [endpoint], { core: home });
        for (let i = 0; i < 40; i++) {
          const caller = yield* spawn(os, "call", [endpoint], { core, args: [1], priority: 60, slots: 1 });
          // Now, or a little later.
          work((i * 997) % 5000);
          same(yield* invoke(os.sys, caller.handle, Method.THREAD_DESTROY), 0, "destroy");
          yield* gone(os, caller);
          yield* drop(os, caller);
        }
        yield* drop(os, serves);
      }
    }
  },
);

for (const how of ["destroyed", "end", "fault"]) {
  onCores(
    tests,
    `a server that takes a call and ${how === "destroyed" ? "is destroyed" : `${how}s`} leaves its caller PEER_DIED`,
    function* (os, core) {
      for (let from = 0; from < os.cores; from++) {
        const endpoint = yield* os.endpoint();
        const never = yield* os.notification();
        const caller = yield* spawn(os, "call", [endpoint], { core: from, args: [1] });
        if (how === "destroyed") {
          const server = yield* spawn(os, "hold", [endpoint, never], { core });
          yield* settled(os, caller, server);
          yield* destroy(os, server);
          yield* drop(os, server);
        } else {
          const child = yield* spawnChild(os, "takeAndEnd", [endpoint], { core, args: [how] });
          const { state, status } = yield* childEnded(os, child);
          same([state, status], how === "end" ? [LifeState.EXITED, 3] : [LifeState.FAULTED, 1], "the server");
        }
        same(yield* ended(os, caller), [failed(Err.PEER_DIED)], `a caller on core ${from}`);
        yield* drop(os, caller);
      }
    },
  );
}

for (const how of ["kill", "end", "fault"]) {
  onCores(
    tests,
    `a saved reply dies with its process (${how}): its caller gets PEER_DIED`,
    function* (os, core) {
      for (let from = 0; from < os.cores; from++) {
        const endpoint = yield* os.endpoint();
        const never = yield* os.notification();
        const caller = yield* spawn(os, "call", [endpoint], { core: from, args: [1] });
        if (how === "kill") {
          const child = yield* spawnChild(os, "save", [endpoint, never], { core });
          yield* settled(os, caller);
          while ((yield* thread.status(os.sys, child.thread)).ipcState < 3) yield os.sys.yield();
          yield* debug.gracePeriod(os.sys, os.environment.debug);
          // Not before it has saved it: it waits for the notification.
          for (let i = 0; i < 4; i++) yield* debug.gracePeriod(os.sys, os.environment.debug);
          same(yield* invoke(os.sys, child.process, Method.PROCESS_KILL), 0, "kill");
        } else yield* spawnChild(os, "saveAndEnd", [endpoint], { core, args: [how] });
        same(yield* ended(os, caller), [failed(Err.PEER_DIED)], `a caller on core ${from}`);
        yield* drop(os, caller);
      }
    },
  );
}

onCores(
  tests,
  "a saved reply outlives the thread that saved it while its process lives",
  function* (os, core) {
    const { sys } = os;
    const endpoint = yield* os.endpoint();
    const never = yield* os.notification();
    const caller = yield* spawn(os, "call", [endpoint], { core, args: [1] });
    const server = yield* spawn(os, "save", [endpoint, never], { core, slots: 4 });
    yield* settled(os, caller, server);
    // The first slot that it was lent.
    const { handle } = yield* cnode.inspect(sys, os.environment.cnode, server.firstSlot);
    yield* destroy(os, server);
    sys.words[0] = 44;
    same(yield sys.replyTo(handle, 1), 0, "answered by another thread");
    same(yield* ended(os, caller), [44], "the caller");
    yield* drop(os, caller, server);
  },
);

onCores(
  tests,
  "receivers that are destroyed while calls come in leave no caller waiting",
  function* (os, core) {
    const { sys } = os;
    const endpoint = yield* os.endpoint();
    // It answers whenever no other receiver is there, and keeps the endpoint at home with it.
    const holder = yield* spawn(os, "echo", [endpoint], { core: (core + 1) % os.cores, priority: 60 });
    yield* settled(os, holder);
    const clients: SpawnedThread[] = [];
    for (let i = 0; i < os.cores + 1; i++)
      clients.push(yield* spawn(os, "client", [endpoint], { core: i % os.cores, priority: 50, args: [400] }));
    let running = true;
    for (let i = 0; running && i < 100; i++) {
      const server = yield* spawn(os, "echo", [endpoint], { core, priority: 80, slots: 1 });
      work((i * 7919) % 3000);
      same(yield* invoke(sys, server.handle, Method.THREAD_DESTROY), 0, "destroy");
      yield* gone(os, server);
      yield* drop(os, server);
      running = false;
      for (const client of clients)
        if ((yield* thread.status(sys, client.handle)).state === LifeState.RUNNING) running = true;
    }
    same(
      yield* ended(os, ...clients),
      clients.map(() => 0),
      "clients",
    );
    yield* drop(os, holder, ...clients);
  },
);

onCores(
  tests,
  "a process's monitor signals once when it exits, faults or is killed, also without threads and also when it has ended",
  function* (os, core) {
    const { sys } = os;
    const events = yield* os.notification();
    let badge = 1;
    for (const how of ["end", "fault", "kill", "late"]) {
      const bit = yield* badged(os, events, badge);
      const never = yield* os.notification();
      const child =
        how === "kill"
          ? yield* spawnChild(os, "wait", [never], { core })
          : yield* spawnChild(os, "end", [], { core, args: [how] });
      if (how === "late") yield* childEnded(os, child);
      yield* watch(os, child.process, bit);
      if (how === "kill") same(yield* invoke(sys, child.process, Method.PROCESS_KILL), 0, "kill");
      same(yield sys.wait(events), 0, how);
      same(sys.badge(), badge, `badge of ${how}`);
      const { state } = yield* childEnded(os, child);
      same(
        state,
        how === "fault" ? LifeState.FAULTED : how === "kill" ? LifeState.KILLED : LifeState.EXITED,
        how,
      );
      same(yield sys.poll(events), Err.WOULD_BLOCK, "told once");
      badge *= 2;
    }
    const empty = yield* os.make(ObjectType.PROCESS);
    yield* watch(os, empty, yield* badged(os, events, 256));
    same(yield* invoke(sys, empty, Method.PROCESS_KILL), 0, "kill a process without threads");
    same(yield sys.poll(events), 0, "told");
    same(sys.badge(), 256, "its badge");
    same((yield* process.status(sys, empty)).state, LifeState.KILLED, "its state");
  },
);

onCores(
  tests,
  "a kill ends all threads of a process on all cores, and calls they had made are gone",
  function* (os, core) {
    const { sys } = os;
    for (let round = 0; round < 3; round++) {
      const endpoint = yield* os.endpoint();
      const never = yield* os.notification();
      const events = yield* os.notification();
      const back = yield* os.endpoint();
      // More urgent than the killer, on its core: it runs as soon as the first thread has ended.
      const watcher = yield* spawn(os, "watcher", [events, back], { priority: 149 });
      yield* settled(os, watcher);
      const family = yield* spawnChild(os, "family", [endpoint, never], { core });
      yield* watch(os, family.process, events);
      // Its members' calls have one word, its own message none.
      const held: number[] = [];
      for (;;) {
        const n = yield sys.recv(endpoint);
        if (n === 0) break;
        // Let go of again by the next receive; some stay in the queue.
        held.push(n);
      }
      for (let i = 0; i < 3; i++) yield* debug.gracePeriod(sys, os.environment.debug);
      same(yield* invoke(sys, family.process, Method.PROCESS_KILL), 0, "kill");
      same((yield* process.status(sys, family.process)).state, LifeState.KILLED, "its state");
      same(yield sys.recv(back), 1, "the watcher was woken");
      same(yield sys.nbRecv(endpoint), Err.WOULD_BLOCK, "no call of the dead is left");
      yield* usable(os, endpoint);
      same(yield* ended(os, watcher), [0], "the watcher");
      yield* drop(os, watcher);
    }
  },
);

tests.add(
  "more blocked remote callers than a ring has lines, with a nested call back, are all answered",
  function* (os) {
    const clients = 80;
    const away = (os.core + 1) % os.cores;
    const [gate, outer, inner] = [yield* os.endpoint(), yield* os.endpoint(), yield* os.endpoint()];
    const back = yield* spawn(os, "echo", [inner]);
    const callers: SpawnedThread[] = [];
    for (let i = 0; i < clients; i++)
      callers.push(yield* spawn(os, "gatedCaller", [gate, outer], { args: [i], slots: 1 }));
    yield* settled(os, back, ...callers);
    // The endpoint is at home there, and its core reads no ring for a while.
    yield* moveHome(os, outer, away);
    const server = yield* spawn(os, "nested", [outer, inner], { core: away, args: [40] });
    // All are ready before one of them calls: who opens is more urgent.
    const opener = yield* spawn(os, "opener", [gate], { priority: 110, args: [clients] });
    same(
      yield* ended(os, ...callers),
      callers.map(() => 0),
      "callers",
    );
    yield* drop(os, opener, server, back, ...callers);
  },
);

tests.add(
  "threads destroyed while they wait for room in a ring have ended, and the ring works on",
  function* (os) {
    const senders = 90;
    const away = (os.core + 1) % os.cores;
    // A third core, if there is one: this one then destroys them by asking theirs.
    const theirs = (os.core + 2) % os.cores;
    const [gate, outer, inner] = [yield* os.endpoint(), yield* os.endpoint(), yield* os.endpoint()];
    const back = yield* spawn(os, "echo", [inner]);
    const threads: SpawnedThread[] = [];
    for (let i = 0; i < senders; i++)
      threads.push(yield* spawn(os, "gatedSender", [gate, outer], { core: theirs, slots: 1 }));
    yield* settled(os, ...threads);
    for (const it of threads) yield* setPriority(os, it.handle, 40);
    yield* moveHome(os, outer, away);
    const server = yield* spawn(os, "nested", [outer, inner], { core: away, args: [60] });
    const opener = yield* spawn(os, "opener", [gate], { core: theirs, priority: 110, args: [senders] });
    // On this core they are less urgent than this thread: they run while it waits for the busy core.
    if (theirs === os.core) yield* setPriority(os, server.handle, 90);
    yield* gone(os, opener);
    for (const it of threads) same(yield* invoke(os.sys, it.handle, Method.THREAD_DESTROY), 0, "destroy");
    yield* gone(os, ...threads);
    yield* drop(os, ...threads, opener);
    yield* destroy(os, server);
    yield* drop(os, server, back);
    // Messages of threads that ended after they had sent may have been taken, none is left.
    same(yield os.sys.nbRecv(outer), Err.WOULD_BLOCK, "nothing is left");
    yield* usable(os, outer);
  },
);

onCores(
  tests,
  "a grace period ends with the other cores idle, in a guest's loop, and in traps",
  function* (os, core) {
    const { sys, environment } = os;
    const endpoint = yield* os.endpoint();
    let last = yield* debug.gracePeriod(sys, environment.debug);
    for (const role of ["idle", "spin", "traps", "calls"]) {
      const server = yield* spawn(os, "echo", [endpoint], { core, priority: 45 });
      const it = role === "idle" ? null : yield* spawn(os, role, [endpoint], { core, priority: 44 });
      for (let i = 0; i < 20; i++) {
        const number = yield* debug.gracePeriod(sys, environment.debug);
        truly(number > last, "numbers rise");
        last = number;
        for (let c = 0; c < os.cores; c++) {
          same(yield* invoke(sys, environment.debug, Method.DEBUG_CORE, c), 8, "counters");
          truly(sys.words[2] >= number, `core ${c} has passed it`);
        }
      }
      if (it !== null) yield* drop(os, it);
      yield* drop(os, server);
    }
  },
);

onCores(
  tests,
  "who waits for a process is told how it ended, before or meanwhile, and keeps no slot of that",
  function* (os, core) {
    const never = yield* os.endpoint();
    const exited = yield* spawnChild(os, "ends", [], { core, args: [7] });
    const faulted = yield* spawnChild(os, "faults", [], { core, args: ["fail"] });
    const killed = yield* spawnChild(os, "recv", [never], { core });
    const once = yield* waitForProcess(os, exited);
    const { free } = os.slots;
    const again = yield* waitForProcess(os, exited);
    same(os.slots.free, free, "free slots");
    for (const { state, status } of [once, again])
      same(`${state} ${status}`, `${LifeState.EXITED} 7`, "how it ended");
    const fault = yield* waitForProcess(os, faulted);
    same(`${fault.state} ${fault.fault}`, `${LifeState.FAULTED} Error: told to: fail`, "how it faulted");
    yield* process.kill(os.sys, killed.process);
    same((yield* waitForProcess(os, killed)).state, LifeState.KILLED, "how it was killed");
  },
);

/** So long no core counts no safe points unless its guest does not trap. Far below the time after which that is condemned. */
const STILL_NS = 100e6;

tests.add("a grace period ends while a core runs a guest that reaches no safe point", function* (os) {
  const { sys, environment } = os;
  const away = (os.core + 1) % os.cores;
  const began = yield* os.notification();
  const over = yield* os.notification();
  const child = yield* spawnChild(os, "forever", [began], { core: away });
  yield* watch(os, child.process, over);
  yield sys.wait(began);
  // It is in its loop when its core counts no safe points any more, for longer than the host keeps a thread waiting.
  for (let since = 0, before = -1, clock = 0; clock - since < STILL_NS || before < 0; ) {
    yield* invoke(sys, environment.debug, Method.DEBUG_CORE, away);
    const now = sys.words[0];
    clock = yield* debug.clock(sys, environment.debug);
    if (now !== before) since = clock;
    before = now;
  }
  same(yield sys.poll(over), Err.WOULD_BLOCK, "it runs");
  yield* debug.gracePeriod(sys, environment.debug);
  same(
    yield sys.poll(over),
    Err.WOULD_BLOCK,
    "and still does: its check said that the kernel holds nothing there",
  );
  same(yield sys.wait(over), 0, "it was condemned in the end, and its monitor told");
  same((yield* process.status(sys, child.process)).state, LifeState.FAULTED, "as a fault");
});

tests.add("a thread destroyed while it waits for a grace period has ended", function* (os) {
  const away = (os.core + 1) % os.cores;
  const { sys, environment } = os;
  const endpoint = yield* os.endpoint();
  for (const core of [os.core, away]) {
    const busy = yield* spawn(os, "nested", [endpoint, endpoint], {
      core: (core + 1) % os.cores,
      args: [40],
      priority: core === os.core ? 100 : 40,
    });
    const it = yield* spawn(os, "grace", [], { core });
    yield* destroy(os, it);
    yield* destroy(os, busy);
    yield* drop(os, it, busy);
    yield* debug.gracePeriod(sys, environment.debug);
  }
});

export default function* main(sys: Sys) {
  const os = start(sys);
  // An endless loop that may be preempted stands here: a role, being a value, may not yield to the kernel by itself.
  if (os.args[0] === "spin") for (;;) work(1);
  return yield* perform(os, tests, roles);
}
