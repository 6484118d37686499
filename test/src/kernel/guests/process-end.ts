/** The end of a process by kill, exit or fault: what dies, what stays, what comes back, and who is told. */
import { handleIndex, LifeState, Method, ObjectType, Right, SlotState, type Sys } from "@capos/abi";
import { cnode, monitor, type Os, process, type Steps, start, thread, untyped } from "@capos/libos";
import { Arena, isHeld, quiet, revoke, slotOf } from "./support/authority.js";
import {
  type Child,
  childEnded,
  drop,
  Err,
  ended,
  failed,
  GuestTests,
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
  /**
   * In a process of its own: makes an endpoint from its own memory, hands it and a copy of what it was given to its
   * maker, starts threads, and ends as it is told.
   */
  *maker(os) {
    const { sys, handed } = os;
    const [out, given, go] = handed;
    const made = yield* os.endpoint();
    for (const core of [os.core, (os.core + 1) % os.cores])
      for (const role of ["spin", "stuck"]) yield* spawn(os, role, [made], { core, priority: 40, slots: 1 });
    const passed = yield* os.copy(given!, Right.ALL);
    if ((yield sys.send(out!, 0, made, passed)) !== 0) return 99;
    yield sys.wait(go!);
    if (os.args[1] === "fault") throw new Error("as told");
    if (os.args[1] === "self") yield* process.kill(sys, os.environment.process);
    return 7;
  },
  *spin(os) {
    for (;;) yield os.sys.nothing();
  },
  *stuck(os) {
    return -(yield os.sys.recv(os.handed[0]!));
  },
  /** Waits for ever. */
  *idle(os) {
    for (;;) yield os.sys.wait(os.handed[0]!);
  },
  /** Kills the process it was handed, and ends with what that answered. */
  *killer(os) {
    return -(yield* invoke(os.sys, os.handed[0]!, Method.PROCESS_KILL));
  },
  /** Waits for the word, kills the other process; ends with the answer if it can. */
  *rival(os) {
    yield os.sys.wait(os.handed[0]!);
    const slot = yield* cnode.inspect(os.sys, os.environment.cnode, 60);
    return -(yield* invoke(os.sys, slot.handle, Method.PROCESS_KILL));
  },
};

export const tests = new GuestTests();
const own = (os: Os) => os.environment.cnode;

function* forget(os: Os, child: Child): Steps<void> {
  yield* process.kill(os.sys, child.process);
  for (const it of [child.thread, child.cnode, child.process]) yield* os.drop(it);
}

/** A process that is never configured, and the CNode that it is refused with. */
let probe: readonly number[] = [];

/** Thread numbers that this process may give: what a refusal says is left. */
function* quota(os: Os): Steps<number> {
  if (probe.length === 0) probe = [yield* os.make(ObjectType.PROCESS), yield* os.make(ObjectType.CNODE, 3)];
  const [it, space] = probe;
  same(
    yield* invoke(os.sys, it!, Method.PROCESS_CONFIGURE, space!, os.environment.image, 100_000, 0),
    Err.NO_RESOURCE,
    "too many threads",
  );
  return os.sys.words[0]!;
}

for (const how of ["kill", "exit", "fault", "self", "delete"]) {
  onCores(
    tests,
    `after its end by ${how} nothing of a process is left but what it passed on`,
    function* (os, core) {
      const { sys } = os;
      const arena = yield* Arena.of(os);
      const [out, object] = [yield* arena.endpoint(), yield* arena.endpoint()];
      const given = yield* arena.copy(object);
      const go = yield* arena.notification();
      const left = yield* quota(os);
      const child = yield* spawnChild(os, "maker", [out, given, go], { core, args: [how] });
      truly((yield* quota(os)) < left, "it has thread numbers of ours while it lives");
      const window = arena.slot(2);
      sys.receiveInto(window, 2);
      same(yield sys.recv(out), 0, "what it sends");
      same(sys.arrived(), 2, "arrived");
      const [made, passed] = [sys.capability(0), sys.capability(1)];
      sys.receiveInto(0, 0);
      const told = yield* arena.notification();
      const watcher = yield* arena.make(ObjectType.MONITOR);
      yield* monitor.watch(sys, watcher, child.process, told);
      const sender = yield* spawn(os, "stuck", [made], { core, slots: 1 });
      yield* settled(os, sender);
      if (how === "kill") yield* process.kill(sys, child.process);
      else if (how === "delete") {
        for (const index of [2]) yield* cnode.delete(sys, child.cnode, index);
        yield* cnode.delete(sys, own(os), handleIndex(child.process));
      } else yield sys.notify(go);
      same(yield sys.wait(told), 0, "its monitor is told");
      const status = yield* monitor.status(sys, watcher);
      const [state, value] = {
        kill: [LifeState.KILLED, 0],
        self: [LifeState.KILLED, 0],
        delete: [LifeState.KILLED, 0],
        exit: [LifeState.EXITED, 7],
        fault: [LifeState.FAULTED, 1],
      }[how]!;
      same([status.ended, status.state, status.status], [true, state, value], "how it ended");
      same(status.line > 0, how === "fault", "where it faulted");
      // They are told when all is done.
      same(yield* ended(os, sender), [failed(Err.REVOKED)], "who waited at it");
      same(yield* quota(os), left, "thread numbers after its end");
      for (let i = 1; i < 128; i++)
        truly(
          (yield* cnode.inspect(sys, child.cnode, i)).state !== SlotState.LIVE,
          `slot ${i} of its CSpace`,
        );
      truly(!(yield* isHeld(os, made)), "what it made is dead everywhere");
      truly(yield* isHeld(os, passed), "what it passed on stays");
      same(yield sys.nbSend(passed), Err.WOULD_BLOCK, "and works");
      yield* revoke(os, given);
      truly(!(yield* isHeld(os, passed)), "as a child of what it was a copy of");
      same(yield* quota(os), left, "thread numbers after its end");
      yield* drop(os, sender);
      if (how !== "delete") yield* forget(os, child);
      else for (const it of [child.thread, child.cnode, child.process]) yield* os.drop(it);
      yield* arena.close();
    },
  );
}

onCores(
  tests,
  "a killer that is destroyed half-way leaves a process that ends all the same",
  function* (os, core) {
    const { sys } = os;
    const arena = yield* Arena.of(os);
    const left = yield* quota(os);
    for (let i = 0; i < 8; i++) {
      const go = yield* arena.notification();
      const child = yield* spawnChild(os, "idle", [go], { core });
      const killer = yield* spawn(os, "killer", [child.process], {
        core: (core + (i & 1)) % os.cores,
        priority: 50,
        slots: 1,
      });
      for (let n = 0; n < i; n++) yield sys.yield();
      yield* drop(os, killer);
      if (i === 0 && (yield* process.status(sys, child.process)).state === LifeState.RUNNING)
        yield* process.kill(sys, child.process);
      if ((yield* process.status(sys, child.process)).state !== LifeState.RUNNING)
        while ((yield* quota(os)) !== left) yield sys.yield();
      yield* forget(os, child);
    }
    same(yield* quota(os), left, "thread numbers");
    yield* arena.close();
  },
);

onCores(tests, "two processes that kill each other have both ended", function* (os, core) {
  const { sys } = os;
  const arena = yield* Arena.of(os);
  const left = yield* quota(os);
  for (let i = 0; i < 6; i++) {
    const go = [yield* arena.notification(), yield* arena.notification()];
    const rivals = [
      yield* spawnChild(os, "rival", [go[0]!]),
      yield* spawnChild(os, "rival", [go[1]!], { core }),
    ];
    for (const n of [0, 1]) yield* cnode.copy(sys, rivals[n]!.cnode, 60, rivals[1 - n]!.process, Right.ALL);
    for (const it of go) yield sys.notify(it);
    const states: number[] = [];
    for (const it of rivals) states.push((yield* childEnded(os, it)).state);
    truly(states.includes(LifeState.KILLED), `one at least was killed: ${states}`);
    for (const it of rivals) yield* forget(os, it);
  }
  same(yield* quota(os), left, "thread numbers");
  yield* arena.close();
});

onCores(
  tests,
  "of two processes with one CSpace the last to end empties it, also when both end at once",
  function* (os, core) {
    const { sys } = os;
    const arena = yield* Arena.of(os);
    for (let i = 0; i < 30; i++) {
      const space = yield* arena.make(ObjectType.CNODE, 9);
      yield* untyped.retype(sys, arena.untyped, ObjectType.UNTYPED, 8, 1, space, 1);
      const endpoint = yield* arena.endpoint();
      yield* cnode.copy(sys, space, 300, endpoint, Right.ALL);
      const pair = [yield* arena.make(ObjectType.PROCESS), yield* arena.make(ObjectType.PROCESS)];
      for (const it of pair) yield* process.configure(sys, it, space, os.environment.image, "pair", 0);
      if (i === 0) {
        yield* process.kill(sys, pair[0]!);
        same((yield* cnode.inspect(sys, space, 300)).state, SlotState.LIVE, "one of them lives on it");
      }
      const killer = yield* spawn(os, "killer", [pair[0]!], { core, priority: 50, slots: 1 });
      yield* process.kill(sys, pair[1]!);
      same(yield* ended(os, killer), [0], "the killer");
      for (const index of [1, 300])
        truly(
          (yield* cnode.inspect(sys, space, index)).state !== SlotState.LIVE,
          `round ${i}: slot ${index}`,
        );
      yield* drop(os, killer);
      yield* revoke(os, arena.untyped);
    }
    yield* arena.close();
  },
);

onCores(
  tests,
  "monitors of a thread and of a process: once each, BUSY while armed, armed anew, at once if it is over",
  function* (os, core) {
    const { sys } = os;
    const arena = yield* Arena.of(os);
    const go = yield* arena.notification();
    const told = yield* arena.notification();
    const watchers: number[] = [];
    for (let i = 0; i < 4; i++) watchers.push(yield* arena.make(ObjectType.MONITOR));
    const child = yield* spawnChild(os, "idle", [go], { core });
    const it = yield* spawn(os, "idle", [go], { core });
    const targets = [child.process, child.thread, it.handle, child.process];
    for (let i = 0; i < 4; i++)
      yield* monitor.watch(sys, watchers[i]!, targets[i]!, yield* arena.mint(told, 1 << i));
    for (let i = 0; i < 4; i++)
      same(yield* invoke(sys, watchers[i]!, Method.MONITOR_WATCH, it.handle, told), Err.BUSY, "armed");
    yield* thread.destroy(sys, it.handle);
    same(yield sys.wait(told), 0, "told");
    same(sys.badge(), 4, "of the thread");
    // A monitor that goes tells nobody.
    yield* cnode.delete(sys, own(os), handleIndex(watchers[3]!));
    yield* process.kill(sys, child.process);
    let bits = 0;
    while (bits !== 3) {
      same(yield sys.wait(told), 0, "told");
      bits |= sys.badge();
    }
    yield* quiet(os);
    same(yield sys.poll(told), Err.WOULD_BLOCK, "once");
    for (let i = 0; i < 3; i++) {
      const status = yield* monitor.status(sys, watchers[i]!);
      same([status.ended, status.state], [true, LifeState.KILLED], `monitor ${i}`);
      // What has ended is told of at once.
      yield* monitor.watch(sys, watchers[i]!, targets[i]!, told);
      same(yield sys.wait(told), 0, "at once");
      same((yield* monitor.status(sys, watchers[i]!)).state, LifeState.KILLED, "and how");
    }
    yield* drop(os, it);
    yield* forget(os, child);
    yield* arena.close();
  },
);

tests.add(
  "a process has the thread numbers that it was given and no more, and its maker has them back",
  function* (os) {
    const { sys } = os;
    const arena = yield* Arena.of(os);
    const left = yield* quota(os);
    const space = yield* arena.make(ObjectType.CNODE, 4);
    const it = yield* arena.make(ObjectType.PROCESS);
    yield* process.configure(sys, it, space, os.environment.image, "few", 3);
    same(yield* quota(os), left - 3, "while it lives");
    const threads: number[] = [];
    for (let i = 0; i < 4; i++) threads.push(yield* arena.make(ObjectType.THREAD));
    for (let i = 0; i < 4; i++) {
      same(
        yield* invoke(sys, threads[i]!, Method.THREAD_CONFIGURE, it, i % os.cores, 10),
        i < 3 ? 0 : Err.NO_RESOURCE,
        `thread ${i}`,
      );
    }
    // One that ends leaves its number to the next; the last to end would end the process.
    yield* thread.destroy(sys, threads[1]!);
    same(yield* invoke(sys, threads[3]!, Method.THREAD_CONFIGURE, it, os.core, 10), 0, "the fourth");
    yield* process.kill(sys, it);
    same(yield* quota(os), left, "after its end");
    same(
      yield* invoke(sys, it, Method.PROCESS_CONFIGURE, space, os.environment.image, 0, 0),
      Err.BUSY,
      "a dead process",
    );
    same((yield* slotOf(os, it)).type, ObjectType.PROCESS, "its status can be read");
    yield* arena.close();
  },
);

export default function* main(sys: Sys) {
  return yield* perform(start(sys), tests, roles);
}
