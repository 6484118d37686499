/** Cores that are many, that die, that come and go: tests that want a machine of their own kind each. */
import { Err, Method, ObjectType, type Sys } from "@capos/abi";
import { IpcError, type Os, type SpawnedThread, type Steps, spawnThread, start } from "@capos/libos";
import {
  childEnded,
  debug,
  drop,
  ended,
  failed,
  GuestTests,
  gone,
  invoke,
  perform,
  type Role,
  same,
  settled,
  spawn,
  spawnChild,
  thread,
  truly,
} from "./support/kit.js";

const roles: Record<string, Role> = {
  *echo(os) {
    for (let n = yield os.sys.recv(os.handed[0]); ; ) n = yield os.sys.replyRecv(os.handed[0], n);
  },

  /** Calls each of the servers; ends with 0 if all answered. */
  *pinger(os) {
    const { sys } = os;
    const servers = os.handed;
    for (let i = 0; i < servers.length; i++) {
      sys.words[0] = i;
      if ((yield sys.call(servers[i], 1)) !== 1 || sys.words[0] !== i) return 1;
    }
    return 0;
  },

  *call(os) {
    os.sys.words[0] = Number(os.args[1]);
    const n = yield os.sys.call(os.handed[0], 1);
    return n < 0 ? -n : os.sys.words[0];
  },

  *send(os) {
    os.sys.words[0] = Number(os.args[1]);
    return -(yield os.sys.send(os.handed[0], 1));
  },

  *takeHome(os) {
    return (yield os.sys.nbRecv(os.handed[0])) === Err.WOULD_BLOCK ? 0 : 1;
  },

  /** Receives a call, and then waits for ever without an answer. */
  *hold(os) {
    yield os.sys.recv(os.handed[0]);
    yield os.sys.wait(os.handed[1]);
    return 0;
  },

  /** Never lets go of its core, inside one built-in that nothing interrupts. */
  *stuck(os) {
    yield os.sys.notify(os.handed[0]);
    return /(a*)*b/.test("a".repeat(60)) ? 1 : 0;
  },

  *end(os) {
    yield os.sys.nothing();
    return 7;
  },
};

/** A core's counters, as DEBUG_CORE answers them. */
function* counters(os: Os, core: number): Steps<number[]> {
  same(yield* invoke(os.sys, os.environment.debug, Method.DEBUG_CORE, core), 8, "counters");
  return Array.from({ length: 8 }, (_, i) => os.sys.words[i]);
}

/** Says a line, and waits for one from the host: it does something meanwhile. */
function* host(os: Os, line: string): Steps<void> {
  yield* os.print(line);
  truly((yield* os.readLine()) !== null, "the host answers");
}

/** Starts a thread on a core as soon as it is there, and sees it run. */
function* runsOn(os: Os, core: number): Steps<void> {
  const target = yield* os.make(ObjectType.THREAD);
  while (
    (yield* invoke(os.sys, target, Method.THREAD_CONFIGURE, os.environment.process, core, 100)) ===
    Err.NOT_FOUND
  )
    yield os.sys.yield();
  same(yield* invoke(os.sys, target, Method.THREAD_DESTROY), 0, "destroy");
  const it = yield* spawn(os, "end", [], { core });
  same(yield* ended(os, it), [7], `a thread on core ${core}`);
  yield* gone(os, it);
  yield* drop(os, it);
}

export const tests = new GuestTests();

tests.add("every core calls every core", function* (os) {
  const servers: number[] = [];
  const threads: SpawnedThread[] = [];
  for (let core = 0; core < os.cores; core++) {
    servers.push(yield* os.endpoint());
    threads.push(yield* spawn(os, "echo", [servers[core]], { core, slots: 1 }));
  }
  const pingers: SpawnedThread[] = [];
  // Words in an environment are few: each pinger has a share of the servers.
  for (let core = 0; core < os.cores; core++) {
    for (let from = 0; from < os.cores; from += 32) {
      pingers.push(yield* spawn(os, "pinger", servers.slice(from, from + 32), { core, slots: 1 }));
    }
  }
  same(
    (yield* ended(os, ...pingers)).filter((it) => it !== 0),
    [],
    "pingers",
  );
  const number = yield* debug.gracePeriod(os.sys, os.environment.debug);
  for (let core = 0; core < os.cores; core++)
    truly((yield* counters(os, core))[2] >= number, `core ${core} passed it`);
  yield* drop(os, ...threads);
});

tests.add(
  "threads beyond the table's limit answer NO_RESOURCE, and one that ended makes room",
  function* (os) {
    const { sys, environment } = os;
    const configure = (target: number) =>
      invoke(sys, target, Method.THREAD_CONFIGURE, environment.process, os.core, 10);
    const made: number[] = [];
    let answer = 0;
    while (answer === 0) {
      made.push(yield* os.make(ObjectType.THREAD));
      answer = yield* configure(made.at(-1)!);
      truly(made.length < 300, "there is a limit");
    }
    same(answer, Err.NO_RESOURCE, `after ${made.length}`);
    const last = made.pop()!;
    same((yield* thread.status(sys, last)).state, 0, "it is as it was");
    let message = "";
    try {
      yield* spawnThread(os, { slots: 1 });
    } catch (error) {
      message = error instanceof IpcError ? String(error.code) : String(error);
    }
    same(message, String(Err.NO_RESOURCE), "spawn");
    same(yield* invoke(sys, made.pop()!, Method.THREAD_DESTROY), 0, "destroy one");
    same(yield* configure(last), 0, "and there is room for one");
    for (const it of made) same(yield* invoke(sys, it, Method.THREAD_DESTROY), 0, "destroy");
  },
);

tests.add(
  "a machine check: peers of a core's threads get PEER_DIED, and the core comes back",
  function* (os) {
    const { sys } = os;
    const away = (os.core + 1) % os.cores;
    const [held, queued, kept] = [yield* os.endpoint(), yield* os.endpoint(), yield* os.endpoint()];
    const never = yield* os.notification();
    const began = yield* os.notification();
    // A server with a call in hand, one that waits, and a caller of this core's server, all on the core that dies.
    const holder = yield* spawnChild(os, "hold", [held, never], { core: away });
    const waiting = yield* spawnChild(os, "echo", [queued], { core: away });
    const callers = [yield* spawn(os, "call", [held], { args: [1] })];
    yield* settled(os, ...callers);
    callers.push(yield* spawn(os, "call", [held], { core: (away + 1) % os.cores, args: [1] }));
    yield* settled(os, ...callers);
    const victim = yield* spawnChild(os, "call", [kept], { core: away });
    same(yield sys.recv(kept), 1, "a call from the core that dies");
    const slot = os.slots.take();
    same(yield sys.saveReply(slot), 0, "its reply is saved");
    const reply = sys.capability(0);
    for (let i = 0; i < 3; i++) yield* debug.gracePeriod(sys, os.environment.debug);
    const before = (yield* counters(os, away))[7];
    const stuck = yield* spawnChild(os, "stuck", [began], { core: away });
    yield sys.wait(began);
    same((yield* childEnded(os, stuck)).state, 3, "the guest that was stuck");
    for (const child of [holder, waiting, victim])
      same((yield* childEnded(os, child)).state, 3, "its neighbours");
    // The second call to the holder was never taken: nobody will, but it may go on waiting.
    same((yield* ended(os, callers[0]))[0], failed(Err.PEER_DIED), "the caller of the server that died");
    same(yield sys.replyTo(reply, 1), Err.BAD_CAP, "a reply dies with its caller");
    same((yield* counters(os, away))[7], before + 1, "its incarnation");
    // What was at home there goes on, and so does the core.
    sys.words[0] = 5;
    const server = yield* spawn(os, "echo", [queued], { core: away });
    same(yield sys.call(queued, 1), 1, "a new server there answers");
    same(yield sys.recv(held), 1, "the call that was queued is still there");
    same(yield sys.reply(1), 0, "reply");
    same(yield* ended(os, callers[1]), [1], "its answer");
    yield* debug.gracePeriod(sys, os.environment.debug);
    yield* drop(os, server, ...callers);
  },
);

tests.add("hot-plug: a core without power takes no thread, one that was plugged does", function* (os) {
  const last = os.cores - 1;
  const { sys, environment } = os;
  const target = yield* os.make(ObjectType.THREAD);
  same(
    yield* invoke(sys, target, Method.THREAD_CONFIGURE, environment.process, last, 100),
    Err.NOT_FOUND,
    "without power",
  );
  // A slot that was emptied before the core came counts for it, too.
  const slot = os.slots.take();
  const endpoint = yield* os.endpoint();
  for (let i = 0; i < 20; i++) {
    yield* invoke(sys, environment.cnode, Method.CNODE_COPY, slot, endpoint, 255);
    yield* invoke(sys, environment.cnode, Method.CNODE_DELETE, slot);
  }
  yield* host(os, "plug");
  yield* runsOn(os, last);
  truly((yield* invoke(sys, environment.cnode, Method.CNODE_COPY, slot, endpoint, 255)) > 0, "copy");
  yield* debug.gracePeriod(sys, environment.debug);
});

tests.add(
  "hot-plug: what was at home on a core that left is usable, and the core can come back",
  function* (os) {
    const { sys } = os;
    const last = os.cores - 1;
    const [idle, busy] = [yield* os.endpoint(), yield* os.endpoint()];
    for (const endpoint of [idle, busy]) {
      const it = yield* spawn(os, "takeHome", [endpoint], { core: last, slots: 1 });
      same(yield* ended(os, it), [0], "home");
      yield* gone(os, it);
      yield* drop(os, it);
    }
    // Two in the queue there, from other cores; one of them is destroyed when the core is gone.
    const first = yield* spawn(os, "send", [busy], { args: [1] });
    const second = yield* spawn(os, "send", [busy], { core: 0, args: [2] });
    const third = yield* spawn(os, "call", [busy], { args: [3] });
    yield* settled(os, first, second, third);
    yield* host(os, "unplug");
    const target = yield* os.make(ObjectType.THREAD);
    same(
      yield* invoke(sys, target, Method.THREAD_CONFIGURE, os.environment.process, last, 100),
      Err.NOT_FOUND,
      "it is gone",
    );
    for (const it of [first, second]) {
      same(yield* invoke(sys, it.handle, Method.THREAD_DESTROY), 0, "destroy");
      yield* gone(os, it);
    }
    same(yield sys.recv(busy), 1, "the one that is left");
    same(sys.words[0], 3, "its word");
    same(yield sys.reply(1), 0, "reply");
    same(yield* ended(os, third), [3], "its answer");
    const server = yield* spawn(os, "echo", [idle], { core: 0 });
    sys.words[0] = 9;
    same(yield sys.call(idle, 1), 1, "the idle endpoint");
    yield* drop(os, first, second, third, server);
    yield* host(os, "plug");
    yield* runsOn(os, last);
    yield* debug.gracePeriod(sys, os.environment.debug);
  },
);

tests.add("hot-plug: a core with threads stays", function* (os) {
  const { sys } = os;
  const last = os.cores - 1;
  const endpoint = yield* os.endpoint();
  const server = yield* spawn(os, "echo", [endpoint], { core: last });
  yield* settled(os, server);
  yield* host(os, "unplug in vain");
  same(yield sys.call(endpoint, 0), 0, "its server answers");
  yield* debug.gracePeriod(sys, os.environment.debug);
  same(yield sys.call(endpoint, 0), 0, "and again");
  yield* drop(os, server);
});

export default function* main(sys: Sys) {
  return yield* perform(start(sys), tests, roles);
}
