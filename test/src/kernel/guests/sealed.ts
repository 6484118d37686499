/** Capabilities that cannot be used: sealed ones, and those whose time is over; and who holds which authority. */
import { CLOCK_STEP_NS, Err, handleIndex, Method, ObjectType, Right, SlotFlag, type Sys } from "@capos/abi";
import { cnode, IpcError, type Os, process, type Steps, start, thread } from "@capos/libos";
import { Arena, isHeld, quiet, remove, revoke, slotOf } from "./support/authority.js";
import {
  debug,
  drop,
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
  *waiter(os) {
    return -(yield os.sys.wait(os.handed[0]));
  },
  *receiver(os) {
    return -(yield os.sys.recv(os.handed[0]));
  },
  *sender(os) {
    return -(yield os.sys.send(os.handed[0], 1));
  },
  /** Waits for its end. */
  *idle(os) {
    yield os.sys.wait(os.handed[0]);
    return 0;
  },
};

export const tests = new GuestTests();
const own = (os: Os) => os.environment.cnode;

/** Every trap that a capability could be used in, and an invocation. */
function* uses(os: Os, handle: number): Steps<number[]> {
  const { sys } = os;
  return [
    yield sys.send(handle),
    yield sys.nbSend(handle),
    yield sys.recv(handle),
    yield sys.nbRecv(handle),
    yield sys.call(handle, 0),
    yield sys.notify(handle),
    yield sys.wait(handle),
    yield sys.poll(handle),
  ];
}
const everywhere = (error: number) => Array.from({ length: 8 }, () => error);

/** Goes on when the machine's clock is `ns` later. */
function* later(os: Os, ns: number): Steps<void> {
  const until = (yield* debug.clock(os.sys, os.environment.debug)) + ns;
  while ((yield* debug.clock(os.sys, os.environment.debug)) < until) yield os.sys.yield();
}

/** Goes on when a handle names nothing any more: its kernel has killed what expired. */
function* killed(os: Os, handle: number): Steps<void> {
  while (yield* isHeld(os, handle)) yield os.sys.yield();
}

tests.add(
  "a sealed capability answers SEALED to every use; its open copy has what the sealed one had",
  function* (os) {
    const { sys } = os;
    const arena = yield* Arena.of(os);
    const sealer = yield* arena.make(ObjectType.SEALER);
    const endpoint = yield* arena.endpoint();
    const minted = yield* arena.mint(endpoint, 12, Right.ALL & ~Right.RECEIVE);
    for (const source of [
      endpoint,
      minted,
      yield* arena.notification(),
      yield* arena.make(ObjectType.CNODE, 3),
      yield* arena.make(ObjectType.THREAD),
      yield* arena.make(ObjectType.PROCESS),
      yield* arena.make(ObjectType.MONITOR),
      sealer,
    ]) {
      const sealed = yield* cnode.seal(sys, own(os), arena.slot(), source, sealer);
      same(yield* uses(os, sealed), everywhere(Err.SEALED), "uses");
      same(yield* invoke(sys, sealed, Method.CNODE_INSPECT, 1), Err.SEALED, "an invocation");
      const open = yield* cnode.unseal(sys, own(os), arena.slot(), sealed, sealer);
      const [was, is] = [yield* slotOf(os, source), yield* slotOf(os, open)];
      same([is.type, is.rights, is.badge], [was.type, was.rights, was.badge], "the open copy");
      same(is.flags & SlotFlag.SEALED, 0, "it is open");
      yield* remove(os, open);
    }
    same(yield sys.nbSend(minted), Err.WOULD_BLOCK, "the source is as it was");
    yield* arena.close();
  },
);

tests.add("only the sealer that closed it opens it, with READ; it seals with WRITE, once", function* (os) {
  const { sys } = os;
  const arena = yield* Arena.of(os);
  const sealer = yield* arena.make(ObjectType.SEALER);
  const other = yield* arena.make(ObjectType.SEALER);
  const endpoint = yield* arena.endpoint();
  const slot = arena.slot();
  const seal = (source: number, by: number) => invoke(sys, own(os), Method.CNODE_SEAL, slot, source, by);
  const unseal = (source: number, by: number) => invoke(sys, own(os), Method.CNODE_UNSEAL, slot, source, by);
  const sealOnly = yield* arena.copy(sealer, Right.WRITE);
  const openOnly = yield* arena.copy(sealer, Right.READ);
  same(yield* seal(endpoint, openOnly), Err.DENIED, "seal without WRITE");
  same(yield* seal(endpoint, endpoint), Err.BAD_TYPE, "seal with an endpoint");
  const sealed = yield* cnode.seal(sys, own(os), arena.slot(), endpoint, sealOnly);
  same(yield* unseal(sealed, other), Err.DENIED, "another sealer");
  same(yield* unseal(sealed, sealOnly), Err.DENIED, "without READ");
  same(yield* unseal(sealed, endpoint), Err.BAD_TYPE, "with an endpoint");
  same(yield* unseal(endpoint, sealer), Err.BAD_TYPE, "what is open");
  for (const by of [sealer, other]) same(yield* seal(sealed, by), Err.SEALED, "sealed twice");
  same(yield* invoke(sys, own(os), Method.CNODE_MINT, slot, sealed, 255, 3), Err.SEALED, "minted sealed");
  const open = yield* cnode.unseal(sys, own(os), slot, sealed, openOnly);
  same(yield sys.nbSend(open), Err.WOULD_BLOCK, "open");
  // The sealer's own end opens nothing.
  for (const it of [sealer, sealOnly]) yield* remove(os, it);
  same(yield* uses(os, sealed), everywhere(Err.SEALED), "still sealed");
  const second = yield* cnode.unseal(sys, own(os), arena.slot(), sealed, openOnly);
  same(yield sys.nbSend(second), Err.WOULD_BLOCK, "opened by the last copy of the sealer");
  yield* arena.close();
});

tests.add(
  "a sealed capability is copied with fewer rights, moved, deleted and revoked like any; its copies are sealed",
  function* (os) {
    const { sys } = os;
    const arena = yield* Arena.of(os);
    const sealer = yield* arena.make(ObjectType.SEALER);
    const endpoint = yield* arena.endpoint();
    const sealed = yield* cnode.seal(sys, own(os), arena.slot(), endpoint, sealer);
    const copy = yield* arena.copy(sealed, Right.SEND | Right.REVOKE);
    same(yield* uses(os, copy), everywhere(Err.SEALED), "the copy");
    const moved = yield* cnode.move(sys, own(os), arena.slot(), copy);
    same(yield* uses(os, moved), everywhere(Err.SEALED), "moved");
    const open = yield* cnode.unseal(sys, own(os), arena.slot(), moved, sealer);
    same((yield* slotOf(os, open)).rights, Right.SEND | Right.REVOKE, "rights of the open copy");
    same(yield sys.nbRecv(open), Err.DENIED, "receive");
    yield* revoke(os, moved);
    same(yield sys.nbSend(open), Err.BAD_CAP, "the open copy ends with the sealed one's revoke");
    const again = yield* cnode.unseal(sys, own(os), handleIndex(open), moved, sealer);
    yield* remove(os, moved);
    same(yield sys.nbSend(again), Err.WOULD_BLOCK, "the open copy outlives the sealed one");
    yield* revoke(os, endpoint);
    for (const it of [sealed, again]) truly(!(yield* isHeld(os, it)), "ends with its source's revoke");
    yield* arena.close();
  },
);

tests.add(
  "a capability with a time limit is good before it, EXPIRED after it, and soon gone; its source stays",
  function* (os) {
    const { sys } = os;
    const arena = yield* Arena.of(os);
    const endpoint = yield* arena.endpoint();
    const long = yield* cnode.expire(sys, own(os), arena.slot(), endpoint, 255, 3600e9);
    let seen = 0;
    for (let i = 0; i < 5; i++) {
      const short = yield* cnode.expire(sys, own(os), arena.slot(), endpoint, Right.SEND, 1);
      const answer = yield sys.nbSend(short);
      truly(answer === Err.EXPIRED || answer === Err.BAD_CAP, `answer ${answer}`);
      if (answer === Err.EXPIRED) seen++;
      const copied = yield* invoke(sys, own(os), Method.CNODE_COPY, arena.slot(), short, 255);
      truly(copied === Err.EXPIRED || copied === Err.BAD_CAP, `copy ${copied}`);
      yield* killed(os, short);
      same(yield sys.nbSend(short), Err.BAD_CAP, "in the end");
    }
    truly(seen > 0, "one was found over and not yet dead");
    same(yield sys.nbSend(long), Err.WOULD_BLOCK, "the one with an hour");
    same(yield sys.nbSend(endpoint), Err.WOULD_BLOCK, "the source");
    yield* arena.close();
  },
);

tests.add(
  "a time limit is no clock: what is left of one, and whether it is over, change by whole steps, whatever was asked for",
  function* (os) {
    const { sys } = os;
    const arena = yield* Arena.of(os);
    const endpoint = yield* arena.endpoint();
    const slot = arena.slot();
    for (let i = 0; i < 300; i++) {
      // The fraction must not show: it would tell what is left of the clock's step, bit by bit.
      const steps = 1000 + (i % 3);
      const fraction = Math.floor(((i * 7919) % 1000) * (CLOCK_STEP_NS / 1000));
      const handle = yield* cnode.expire(sys, own(os), slot, endpoint, 255, steps * CLOCK_STEP_NS + fraction);
      const left = (yield* slotOf(os, handle)).expiresInNs;
      truly(left !== null && left % CLOCK_STEP_NS === 0, `${left} ns are left`);
      truly(left !== null && left <= steps * CLOCK_STEP_NS, `${left} ns of ${steps} steps and ${fraction}`);
      yield* remove(os, handle);
    }
    const none = yield* cnode.expire(sys, own(os), arena.slot(), endpoint, 255, CLOCK_STEP_NS - 1);
    const answer = yield sys.nbSend(none);
    truly(answer === Err.EXPIRED || answer === Err.BAD_CAP, "less than a step is none");
    yield* arena.close();
  },
);

tests.add(
  "copies have their source's limit at the latest: a later one is not granted, an earlier one is",
  function* (os) {
    const { sys } = os;
    const arena = yield* Arena.of(os);
    const endpoint = yield* arena.endpoint();
    const limited = yield* cnode.expire(sys, own(os), arena.slot(), endpoint, 255, 1e9);
    const kin = [
      yield* arena.copy(limited),
      yield* arena.mint(limited, 4),
      yield* cnode.expire(sys, own(os), arena.slot(), limited, 255, 2 ** 53 - 1),
      yield* cnode.move(sys, own(os), arena.slot(), yield* arena.copy(limited)),
    ];
    for (const it of kin) {
      const time = (yield* slotOf(os, it)).expiresInNs;
      truly(time !== null && time <= 1e9, `a copy has ${time} ns left`);
    }
    const early = yield* cnode.expire(sys, own(os), arena.slot(), limited, 255, 1000);
    const child = yield* arena.copy(kin[0]);
    yield* killed(os, early);
    // Who waited long enough for the early one may have waited for the late ones too; not longer, though.
    yield* later(os, 1e9);
    for (const it of [limited, ...kin, child]) {
      const answer = yield sys.nbSend(it);
      truly(answer === Err.EXPIRED || answer === Err.BAD_CAP, `answer ${answer}`);
      yield* killed(os, it);
    }
    same(yield sys.nbSend(endpoint), Err.WOULD_BLOCK, "the source");
    yield* arena.close();
  },
);

/** Tries again with four times the limit where the host was so busy that it was over before all was made. */
function* beforeItIsOver<T>(leastNs: number, make: (forNs: number) => Steps<T>): Steps<T> {
  for (let forNs = leastNs; ; forNs *= 4) {
    try {
      return yield* make(forNs);
    } catch (error) {
      if (!(error instanceof IpcError && [Err.BAD_CAP, Err.EXPIRED].includes(error.code))) throw error;
    }
  }
}

tests.add(
  "a hundred limits end each in its time, those that were deleted, moved or revoked before it never",
  function* (os) {
    const { sys } = os;
    const arena = yield* Arena.of(os);
    const endpoint = yield* arena.endpoint();
    const { first, handles } = yield* beforeItIsOver(60e6, function* (leastNs) {
      const first = arena.slot(100);
      const spare = arena.slot(20);
      const made: number[] = [];
      for (let i = 0; i < 100; i++) {
        const forNs = leastNs + ((i * 37) % 100) * 3e6;
        made.push(yield* cnode.expire(sys, own(os), first + i, endpoint, 255, forNs));
      }
      for (let i = 0; i < 20; i++) made[i] = yield* cnode.move(sys, own(os), spare + i, made[i]);
      return { first, handles: made };
    });
    for (let i = 20; i < 40; i++) yield* remove(os, handles[i]);
    // Their slots are another's now.
    const tenants: number[] = [];
    for (let i = 0; i < 40; i++) tenants.push(yield* cnode.copy(sys, own(os), first + i, endpoint, 255));
    for (let i = 0; i < 100; i++) if (i < 20 || i >= 40) yield* killed(os, handles[i]);
    for (const it of tenants) same(yield sys.nbSend(it), Err.WOULD_BLOCK, "a tenant");
    yield* arena.close();
  },
);

tests.add(
  "verify says whether a process holds an authority, with at least those rights, the same badge, and usable",
  function* (os) {
    const { sys } = os;
    const arena = yield* Arena.of(os);
    const stop = yield* os.notification();
    const child = yield* spawnChild(os, "idle", [stop]);
    const endpoint = yield* arena.endpoint();
    const badged = yield* arena.mint(endpoint, 5);
    const holds = (handle: number, rights: number) => process.verify(sys, child.process, handle, rights);
    same(yield* holds(endpoint, 0), false, "not yet");
    const last = (yield* slotOf(os, child.cnode)).sizeBits;
    const at = 2 ** last - 1;
    yield* cnode.copy(sys, child.cnode, at, endpoint, Right.SEND | Right.GRANT);
    for (const [rights, held] of [
      [0, true],
      [Right.SEND, true],
      [Right.SEND | Right.GRANT, true],
      [Right.SEND | Right.RECEIVE, false],
      [Right.ALL, false],
    ] as const)
      same(yield* holds(endpoint, rights), held, `rights ${rights}`);
    same(yield* holds(badged, 0), false, "another badge");
    same(yield* holds(yield* arena.endpoint(), 0), false, "another endpoint");
    yield* cnode.copy(sys, child.cnode, at - 1, badged, 255);
    same(yield* holds(badged, Right.ALL), true, "with the badge");
    yield* revoke(os, badged);
    same(yield* holds(badged, 0), false, "revoked");
    yield* cnode.delete(sys, child.cnode, at);
    same(yield* holds(endpoint, 0), false, "deleted");
    const sealer = yield* arena.make(ObjectType.SEALER);
    yield* cnode.seal(sys, child.cnode, at - 2, endpoint, sealer);
    same(yield* holds(endpoint, 0), false, "held sealed");
    for (let i = 0; i < 10; i++) {
      yield* cnode.expire(sys, child.cnode, at - 3 - i, endpoint, 255, 1);
      same(yield* holds(endpoint, 0), false, "held beyond its time");
    }
    yield* process.kill(sys, child.process);
    same(yield* holds(stop, 0), false, "a process that has ended holds nothing");
    for (const it of [child.thread, child.cnode, child.process, stop]) yield* os.drop(it);
    yield* arena.close();
  },
);

onCores(
  tests,
  "who waits through a capability whose time is over is woken with REVOKED",
  function* (os, core) {
    const { sys } = os;
    const arena = yield* Arena.of(os);
    const endpoint = yield* arena.endpoint();
    const empty = yield* arena.endpoint();
    const notification = yield* arena.notification();
    for (const [role, source] of [
      ["waiter", notification],
      ["receiver", empty],
      ["sender", endpoint],
    ] as const) {
      const [limited, heir] = yield* beforeItIsOver(30e6, function* (forNs) {
        const made = yield* cnode.expire(sys, own(os), arena.slot(), source, 255, forNs);
        return [made, yield* arena.copy(made)] as const;
      });
      const threads = [yield* spawn(os, role, [limited], { core }), yield* spawn(os, role, [heir], { core })];
      for (const status of yield* ended(os, ...threads))
        truly([Err.REVOKED, Err.EXPIRED, Err.BAD_CAP].includes(-status), `${role} ended with ${status}`);
      yield* drop(os, ...threads);
    }
    // Nothing is left of them in a queue.
    same(yield sys.nbRecv(endpoint), Err.WOULD_BLOCK, "no sender is left");
    same(yield sys.nbSend(empty), Err.WOULD_BLOCK, "no receiver is left");
    yield* arena.close();
  },
);

onCores(tests, "a limit that was long enough to wait ends the wait with REVOKED", function* (os, core) {
  const { sys } = os;
  const arena = yield* Arena.of(os);
  const notification = yield* arena.notification();
  const limited = yield* cnode.expire(sys, own(os), arena.slot(), notification, 255, 400e6);
  const it = yield* spawn(os, "waiter", [limited], { core });
  yield* settled(os, it);
  same((yield* thread.status(sys, it.handle)).state, 1, "it waits");
  same(yield* ended(os, it), [failed(Err.REVOKED)], "the waiter");
  yield* quiet(os);
  yield* drop(os, it);
  yield* arena.close();
});

export default function* main(sys: Sys) {
  return yield* perform(start(sys), tests, roles);
}
