/** How far a revoke reaches: other processes, bindings that last, and not a call that was delivered. */
import { LifeState, Method, ObjectType, Right, type Sys } from "@capos/abi";
import { cnode, monitor, type Os, process, type Steps, start, thread } from "@capos/libos";
import { Arena, isHeld, quiet, remove, revoke } from "./support/authority.js";
import {
  type Child,
  childEnded,
  drop,
  Err,
  ended,
  failed,
  GuestTests,
  gone,
  invoke,
  onCores,
  perform,
  type Role,
  same,
  settled,
  spawn,
  spawnChild,
  truly,
} from "./support/kit.js";

const roles: Record<string, Role> = {
  *call(os) {
    os.sys.words[0] = 1;
    const n = yield os.sys.call(os.handed[0], 1);
    return n === 1 ? os.sys.words[0] : -n;
  },
  /** Receives a call, lets its capability to the endpoint be revoked, and answers: with its reply, or a saved one. */
  *answer(os) {
    const { sys, handed } = os;
    sys.receiveInto(0, 0);
    yield sys.recv(handed[0]);
    let reply = 0;
    if (os.args[1] === "saved") {
      yield sys.saveReply(os.slots.take());
      reply = sys.capability(0);
    }
    yield sys.notify(handed[1]);
    yield sys.wait(handed[2]);
    if ((yield sys.nbSend(handed[0])) !== Err.BAD_CAP) return 1;
    sys.words[0] = 33;
    return -(os.args[1] === "saved" ? yield sys.replyTo(reply, 1) : yield sys.reply(1));
  },
  /**
   * In a process of its own: makes copies of what it was handed, or of what comes as a message, and copies of
   * those; hands one on as a message, if it is to, and waits. Ends with how many of them are not dead then.
   */
  *hoard(os) {
    const { sys, handed } = os;
    const [ready, go, pass, target] = handed;
    const kept: number[] = [];
    if (target !== undefined) kept.push(target);
    else {
      sys.receiveInto(os.slots.take(), 1);
      if ((yield sys.recv(pass!)) !== 0 || sys.arrived() !== 1) return 200;
      kept.push(sys.capability(0));
      sys.receiveInto(0, 0);
    }
    for (let i = 0; i < 5; i++) kept.push(yield* os.copy(kept[i >> 1], Right.ALL));
    if (target !== undefined && (yield sys.send(pass!, 0, kept[5])) !== 0) return 201;
    yield sys.notify(ready!);
    yield sys.wait(go!);
    let alive = 0;
    for (const it of kept) if ((yield sys.nbSend(it)) !== Err.BAD_CAP) alive++;
    return alive;
  },
  /** Signals until it cannot; ends with the answer. */
  *signals(os) {
    for (;;) {
      const answer = yield os.sys.notify(os.handed[0]);
      if (answer !== 0) return -answer;
      yield os.sys.yield();
    }
  },
  /** Receives, and ends with 1 for a message and 2 for its bound notification. */
  *bound(os) {
    const n = yield os.sys.recv(os.handed[0]);
    if (n < 0) return -n;
    return os.sys.notified() ? 2 : 1;
  },
  *idle(os) {
    yield os.sys.recv(os.handed[0]);
    return 0;
  },
};

export const tests = new GuestTests();

/** Ends a child, whatever it does. */
function* endChild(os: Os, child: Child): Steps<void> {
  yield* process.kill(os.sys, child.process);
  for (const it of [child.thread, child.cnode, child.process]) yield* os.drop(it);
}

onCores(
  tests,
  "copies in other processes' CSpaces, handed on from process to process, die too",
  function* (os, core) {
    const { sys } = os;
    const arena = yield* Arena.of(os);
    const endpoint = yield* arena.endpoint();
    const given = yield* arena.copy(endpoint);
    const children: { child: Child; go: number }[] = [];
    for (const where of [core, os.core, (os.core + 2) % os.cores]) {
      const pass = yield* arena.endpoint();
      const readies: number[] = [];
      for (const gifts of [[pass, given], [pass]]) {
        const ready = yield* arena.notification();
        const go = yield* arena.notification();
        const child = yield* spawnChild(os, "hoard", [ready, go, ...gifts], {
          core: gifts.length === 1 ? core : where,
        });
        readies.push(ready);
        children.push({ child, go });
      }
      for (const it of readies) yield sys.wait(it);
    }
    yield* revoke(os, given);
    for (const { child, go } of children) {
      same(yield sys.notify(go), 0, "go");
      const { state, status, fault } = yield* childEnded(os, child);
      same([state, status, fault], [2, 0, ""], "what is alive in a child");
      yield* endChild(os, child);
    }
    for (const it of [endpoint, given]) truly(yield* isHeld(os, it), "stays");
    yield* arena.close();
  },
);

for (const how of ["fresh", "saved"]) {
  onCores(
    tests,
    `a call that was delivered is answered after the endpoint's revoke, by its ${how} reply`,
    function* (os, core) {
      const { sys } = os;
      const arena = yield* Arena.of(os);
      const endpoint = yield* arena.endpoint();
      const [ready, go] = [yield* arena.notification(), yield* arena.notification()];
      const server = yield* spawn(os, "answer", [yield* arena.copy(endpoint), ready, go], {
        core,
        args: [how],
      });
      const caller = yield* spawn(os, "call", [yield* arena.copy(endpoint)]);
      yield sys.wait(ready);
      yield* revoke(os, endpoint);
      same(yield sys.notify(go), 0, "go");
      same(yield* ended(os, server), [0], "the server");
      same(yield* ended(os, caller), [33], "the caller");
      yield* drop(os, server, caller);
      yield* arena.close();
    },
  );
}

onCores(
  tests,
  "a bound notification ends with the revoke of what it was bound by, and can be bound anew",
  function* (os, core) {
    const { sys } = os;
    const arena = yield* Arena.of(os);
    const endpoint = yield* arena.endpoint();
    const notification = yield* arena.notification();
    const lent = yield* arena.copy(notification);
    for (const waits of [true, false]) {
      const it = yield* spawn(os, "bound", [endpoint], { core, priority: waits ? 100 : 50 });
      if (waits) yield* settled(os, it);
      yield* thread.bind(sys, it.handle, yield* arena.copy(lent));
      same(yield* invoke(sys, it.handle, Method.THREAD_BIND, notification), Err.BUSY, "bound already");
      yield* revoke(os, lent);
      same(yield sys.notify(notification), 0, "notify");
      yield* quiet(os);
      same((yield* thread.status(sys, it.handle)).state, LifeState.RUNNING, "the bits end nothing");
      same(yield sys.poll(notification), 0, "they are still there");
      yield* thread.bind(sys, it.handle, notification);
      same(yield sys.notify(notification), 0, "notify");
      same(yield* ended(os, it), [2], "the thread");
      yield* drop(os, it);
    }
    yield* arena.close();
  },
);

onCores(
  tests,
  "a monitor whose target's capability is revoked is told of that, once, and can be armed anew",
  function* (os, core) {
    const { sys } = os;
    const arena = yield* Arena.of(os);
    const endpoint = yield* arena.endpoint();
    const told = yield* arena.notification();
    const it = yield* spawn(os, "idle", [endpoint], { core });
    const lent = yield* arena.copy(it.handle);
    const watcher = yield* arena.make(ObjectType.MONITOR);
    const second = yield* arena.make(ObjectType.MONITOR);
    yield* monitor.watch(sys, second, it.handle, yield* arena.mint(told, 4));
    for (const target of [yield* arena.copy(lent), lent]) {
      yield* monitor.watch(sys, watcher, target, yield* arena.mint(told, 2));
      same(yield* invoke(sys, watcher, Method.MONITOR_WATCH, it.handle, told), Err.BUSY, "armed");
      yield* revoke(os, lent);
      same(yield sys.wait(told), 0, "told");
      same(sys.badge(), 2, "the one alone");
      const status = yield* monitor.status(sys, watcher);
      same([status.ended, status.state], [true, LifeState.RUNNING], "its watch is over, its target lives");
    }
    yield* thread.destroy(sys, it.handle);
    same(yield sys.wait(told), 0, "the other monitor is told");
    yield* quiet(os);
    same(sys.badge(), 4, "by its badge alone");
    same(yield sys.poll(told), Err.WOULD_BLOCK, "once");
    same((yield* monitor.status(sys, second)).state, LifeState.KILLED, "how it ended");
    yield* drop(os, it);
    yield* arena.close();
  },
);

onCores(
  tests,
  "who watches a process is told when the memory that it was made from is revoked",
  function* (os, core) {
    const { sys } = os;
    const arena = yield* Arena.of(os);
    const told = yield* arena.notification();
    const watcher = yield* arena.make(ObjectType.MONITOR);
    for (let i = 0; i < 6; i++) {
      const theirs = yield* Arena.of(os, 13);
      const space = yield* theirs.make(ObjectType.CNODE, 4);
      const target = yield* theirs.make(ObjectType.PROCESS);
      yield* process.configure(sys, target, space, os.environment.image, "watched", 1);
      const first = yield* theirs.make(ObjectType.THREAD);
      yield* thread.configure(sys, first, target, core, 20);
      yield* monitor.watch(sys, watcher, i % 2 === 0 ? target : first, told);
      yield* theirs.close();
      same(yield sys.wait(told), 0, "told");
      same((yield* monitor.status(sys, watcher)).ended, true, "its watch is over");
    }
    yield* arena.close();
  },
);

onCores(
  tests,
  "a monitor whose notification is revoked knows of the end, and signals nobody",
  function* (os, core) {
    const { sys } = os;
    const arena = yield* Arena.of(os);
    const endpoint = yield* arena.endpoint();
    const told = yield* arena.notification();
    const it = yield* spawn(os, "idle", [endpoint], { core });
    const lent = yield* arena.copy(told);
    const watcher = yield* arena.make(ObjectType.MONITOR);
    yield* monitor.watch(sys, watcher, it.handle, lent);
    yield* revoke(os, told);
    yield* thread.destroy(sys, it.handle);
    yield* gone(os, it);
    yield* quiet(os);
    same(yield sys.poll(told), Err.WOULD_BLOCK, "nobody is signalled");
    const status = yield* monitor.status(sys, watcher);
    same([status.ended, status.state], [true, LifeState.KILLED], "the end");
    yield* drop(os, it);
    yield* arena.close();
  },
);

onCores(
  tests,
  "a process whose CSpace is revoked can use no handle any more, and ends by itself",
  function* (os, core) {
    const { sys } = os;
    const arena = yield* Arena.of(os);
    const notification = yield* arena.notification();
    const child = yield* spawnChild(os, "signals", [notification], { core });
    yield sys.wait(notification);
    yield* revoke(os, child.cnode);
    const { state, status, fault } = yield* childEnded(os, child);
    same([state, status, fault], [2, failed(Err.BAD_CAP), ""], "the child");
    same((yield* cnode.inspect(sys, child.cnode, 1)).state !== 2, true, "its own copy of its CNode");
    yield* quiet(os);
    yield sys.poll(notification);
    yield* quiet(os);
    same(yield sys.poll(notification), Err.WOULD_BLOCK, "no signal comes after the revoke");
    yield* endChild(os, child);
    yield* arena.close();
  },
);

onCores(
  tests,
  "no signal and no message comes through a descendant once its revoke has returned",
  function* (os, core) {
    const { sys } = os;
    const arena = yield* Arena.of(os);
    const notification = yield* arena.notification();
    for (let i = 0; i < 25; i++) {
      const lent = yield* arena.copy(notification);
      const threads = [
        yield* spawn(os, "signals", [yield* arena.copy(lent)], { core, priority: 50, slots: 1 }),
        yield* spawn(os, "signals", [yield* arena.copy(lent)], {
          core: (os.core + 2) % os.cores,
          priority: 50,
          slots: 1,
        }),
      ];
      yield sys.wait(notification);
      yield* revoke(os, lent);
      // What was signalled before is there now; nothing may come after.
      yield sys.poll(notification);
      for (let n = 0; n < 50; n++) {
        same(yield sys.poll(notification), Err.WOULD_BLOCK, "after the revoke");
        yield sys.yield();
      }
      same(yield* ended(os, ...threads), [failed(Err.BAD_CAP), failed(Err.BAD_CAP)], "the signallers");
      yield* drop(os, ...threads);
      yield* remove(os, lent);
    }
    yield* arena.close();
  },
);

export default function* main(sys: Sys) {
  return yield* perform(start(sys), tests, roles);
}
