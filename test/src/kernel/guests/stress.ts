/**
 * A random graph of clients and servers on all cores, whose threads are destroyed at random.
 *
 * Endpoints are numbered; a server of one calls only those above it, and each has one server that is
 * never destroyed, so every call must end: with its answer, or with PEER_DIED. Arguments: the seed, the
 * rounds of the first thread, the calls of each client.
 */
import { Err, Method, Right, type Sys } from "@capos/abi";
import { cnode, type Os, type SpawnedThread, type Steps, start } from "@capos/libos";
import {
  debug,
  drop,
  ended,
  GuestTests,
  gone,
  invoke,
  perform,
  type Role,
  same,
  spawn,
  thread,
  truly,
  work,
} from "./support/kit.js";

const ENDPOINTS = 5;
const MEMBERS = 12;
const SIZES = [2, 3, 4, 5, 6, 9, 33, 64];

/** Numbers from 0 to below the argument, the same for the same seed (mulberry32). */
type Random = (below: number) => number;

function random(seed: number): Random {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** A call of a random size, sometimes with a capability. Throws unless it ends in its answer or PEER_DIED. */
function* call(os: Os, next: Random, endpoint: number, gift: number): Steps<boolean> {
  const { sys } = os;
  const id = next(1 << 30);
  const size = SIZES[next(SIZES.length)];
  sys.receiveInto(0, 0);
  sys.words[0] = id;
  sys.words[1] = SIZES[next(SIZES.length)];
  const wanted = sys.words[1];
  sys.words[size - 1] = size === 2 ? wanted : id + 1;
  const n = next(4) === 0 ? yield sys.call(endpoint, size, gift) : yield sys.call(endpoint, size);
  if (n === Err.PEER_DIED) return false;
  truly(
    n === wanted && sys.words[0] === id && sys.words[n - 1] === (n === 2 ? n : id + n),
    `the answer to ${id}: ${n} for ${wanted}, ${sys.words[0]}`,
  );
  return true;
}

/** Puts the answer to a call into the words. */
function answer(sys: Sys, id: number, wanted: number): number {
  sys.words[0] = id;
  sys.words[wanted - 1] = wanted === 2 ? 2 : id + wanted;
  return wanted;
}

const roles: Record<string, Role> = {
  /** Calls, so many times; ends with 1 if something was wrong. */
  *client(os) {
    const next = random(Number(os.args[1]));
    try {
      for (let i = 0; i < Number(os.args[2]); i++) {
        yield* call(os, next, os.handed[next(ENDPOINTS)], os.handed[ENDPOINTS]);
        if (next(10) === 0) yield os.sys.yield();
      }
    } catch (error) {
      yield* debug.print(os.sys, os.environment.debug, String(error));
      return 1;
    }
    return 0;
  },

  /** Serves the endpoint whose number it is told, in all ways there are. Immortal ones never end of themselves. */
  *server(os) {
    const next = random(Number(os.args[1]));
    const level = Number(os.args[2]);
    const immortal = os.args[3] === "immortal";
    const { sys, handed } = os;
    const endpoint = handed[level];
    const window = os.slots.take();
    const saves = os.slots.take();
    let saved: { reply: number; id: number; wanted: number } | null = null;
    try {
      for (let n = 0; ; ) {
        sys.receiveInto(window, 1);
        // With a reply in hand it does not wait for ever: nobody else may call before that one is answered.
        if (n === 0)
          n = saved !== null || next(8) === 0 ? yield sys.nbRecv(endpoint) : yield sys.recv(endpoint);
        if (n === Err.WOULD_BLOCK && saved !== null) {
          const given = yield sys.replyTo(saved.reply, answer(sys, saved.id, saved.wanted));
          // A reply dies with its caller.
          if (given !== Err.BAD_CAP) same(given, 0, "replyTo");
          saved = null;
          n = 0;
          continue;
        }
        if (n === Err.WOULD_BLOCK || (n === 0 && sys.notified())) {
          n = 0;
          yield sys.yield();
          continue;
        }
        truly(n >= 2, `a call of ${n} words`);
        const { words } = sys;
        const id = words[0];
        const wanted = words[1];
        truly(words[n - 1] === (n === 2 ? wanted : id + 1), `call ${id} of ${n} words`);
        if (sys.arrived() > 0) yield* cnode.delete(sys, os.environment.cnode, window);
        const what = next(24);
        if (what === 0 && !immortal) {
          // What it holds in its hand goes with it, what it saved stays behind.
          yield* cnode.delete(sys, os.environment.cnode, saves);
          return 0;
        }
        if (what === 1) {
          // Lets go of it.
          n = 0;
          continue;
        }
        if (what < 5 && level + 1 < ENDPOINTS)
          yield* call(os, next, handed[level + 1 + next(ENDPOINTS - level - 1)], handed[ENDPOINTS]);
        if (what === 6 && saved === null) {
          const answered = yield sys.saveReply(saves);
          // A caller that has died has no reply to be saved.
          if (answered !== Err.PEER_DIED) {
            same(answered, 0, "saveReply");
            saved = { reply: sys.capability(0), id, wanted };
          }
          n = 0;
        } else {
          const count = answer(sys, id, wanted);
          sys.receiveInto(window, 1);
          if (what % 2 === 0 && saved === null) n = yield sys.replyRecv(endpoint, count);
          else {
            same(yield sys.reply(count), 0, "reply");
            n = 0;
          }
        }
      }
    } catch (error) {
      yield* debug.print(os.sys, os.environment.debug, String(error));
      return 1;
    }
  },

  /** Signals at random. */
  *signaller(os) {
    const next = random(Number(os.args[1]));
    for (;;) {
      yield os.sys.notify(os.handed[next(os.handed.length)]);
      work(next(400));
      yield os.sys.yield();
    }
  },
};

interface Member {
  readonly it: SpawnedThread;
  readonly role: "client" | "server";
}

export const tests = new GuestTests();

tests.add(
  "every call ends in its answer or in PEER_DIED, whoever is destroyed, and every thread is accounted for",
  function* (os) {
    const { sys, environment } = os;
    const [seed, rounds, calls] = [Number(os.args[1]), Number(os.args[2]), Number(os.args[3])];
    const next = random(seed);
    const endpoints: number[] = [];
    for (let i = 0; i < ENDPOINTS; i++) endpoints.push(yield* os.endpoint());
    const gift = yield* os.copy(yield* os.notification(), Right.SEND | Right.GRANT);
    const handed = [...endpoints, gift];
    const bells: number[] = [];
    for (let i = 0; i < 4; i++) bells.push(yield* os.notification());
    const immortals: SpawnedThread[] = [];
    for (let i = 0; i < ENDPOINTS; i++) {
      immortals.push(
        yield* spawn(os, "server", handed, {
          core: next(os.cores),
          priority: 45 + next(5),
          args: [next(1 << 30), i, "immortal"],
        }),
      );
    }
    const ringer = yield* spawn(os, "signaller", bells, {
      core: next(os.cores),
      priority: 30,
      args: [next(1 << 30)],
    });
    // No more urgent than this thread, or it would wait for the end of all work on its core.
    const priority = () => 45 + next(6);
    function* join(): Steps<Member> {
      const role = next(2) === 0 ? ("client" as const) : ("server" as const);
      const args = role === "client" ? [next(1 << 30), calls] : [next(1 << 30), next(ENDPOINTS)];
      const it = yield* spawn(os, role, handed, { core: next(os.cores), priority: priority(), args });
      if (role === "server" && next(3) === 0) {
        const answered = yield* invoke(sys, it.handle, Method.THREAD_BIND, bells[next(bells.length)]);
        // Bound to another already, or dead already.
        truly(answered === 0 || answered === Err.BUSY, `bind: ${answered}`);
      }
      return { it, role };
    }
    const members: Member[] = [];
    const seen = { destroyed: 0, ended: 0, wrong: 0 };
    function* leave(member: Member): Steps<void> {
      const status = yield* thread.status(sys, member.it.handle);
      if (status.state > 1) {
        seen.ended++;
        if (status.exitReason !== 0) seen.wrong++;
      } else seen.destroyed++;
      same(yield* invoke(sys, member.it.handle, Method.THREAD_DESTROY), 0, "destroy");
      if (next(2) === 0) yield* gone(os, member.it);
      yield* drop(os, member.it);
    }
    for (let i = 0; i < MEMBERS; i++) members.push(yield* join());
    for (let round = 0; round < rounds; round++) {
      const at = next(members.length);
      yield* leave(members[at]);
      members[at] = yield* join();
      if (next(4) === 0) yield* changePriority(os, members[next(members.length)].it.handle, priority());
      if (next(3) === 0) yield* debug.gracePeriod(sys, environment.debug);
      else if (next(2) === 0) work(next(20_000));
      else yield sys.yield();
    }
    // From here on it only looks how the others are getting on.
    yield* thread.priority(sys, environment.thread, 30);
    // Clients come to their end by themselves; of the servers some go first, the others last.
    const first = members.filter(({ role }) => role === "server" && next(2) === 0);
    for (const member of first) yield* leave(member);
    for (const { it, role } of members) if (role === "client") same(yield* ended(os, it), [0], "a client");
    for (const member of members) if (!first.includes(member)) yield* leave(member);
    for (const it of [...immortals, ringer]) {
      same(yield* invoke(sys, it.handle, Method.THREAD_DESTROY), 0, "destroy");
      yield* gone(os, it);
      yield* drop(os, it);
    }
    same(seen.wrong, 0, "clients or servers that saw something wrong");
    // Nobody is left at an endpoint.
    for (const endpoint of endpoints) same(yield sys.nbRecv(endpoint), Err.WOULD_BLOCK, "an empty queue");
    yield* os.print(`seed ${seed}: ${seen.destroyed} destroyed, ${seen.ended} ended`);
  },
);

/** Sets a priority; a thread that has ended has none. */
function* changePriority(os: Os, handle: number, priority: number): Steps<void> {
  const answered = yield* invoke(os.sys, handle, Method.THREAD_PRIORITY, priority);
  truly(answered === 0 || answered === Err.BUSY, `priority: ${answered}`);
}

export default function* main(sys: Sys) {
  return yield* perform(start(sys), tests, roles);
}
