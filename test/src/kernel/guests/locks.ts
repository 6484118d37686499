/** Locks, semaphores and conditions of parties of processes, on one core and across cores, and the ends of their members. */
import { Err, type Sys } from "@capos/abi";
import {
  Condition,
  Frame,
  LOCK_BYTES,
  Lock,
  MAX_MEMBERS,
  type Memory,
  type Os,
  type OwnRegion,
  PARTY_BYTES,
  Party,
  Semaphore,
  type Steps,
  start,
} from "@capos/libos";
import {
  type Child,
  childEnded,
  GuestTests,
  onCores,
  perform,
  process,
  type Role,
  same,
  spawnChild,
  truly,
} from "./support/kit.js";

/** Where things are in the shared page. */
const LOCK = 64;
const ITEMS = 128;
const ROOM = 192;
const CONDITION = 256;
const DATA = 512;
const STATE = 1024;

interface Shared {
  readonly sys: Sys;
  readonly base: number;
  readonly party: Party;
  readonly lock: Lock;
  readonly items: Semaphore;
  readonly room: Semaphore;
  readonly condition: Condition;
}

function shared(sys: Sys, base: number, party: Party): Shared {
  const lock = new Lock(party, base + LOCK);
  return {
    sys,
    base,
    party,
    lock,
    items: new Semaphore(party, base + ITEMS),
    room: new Semaphore(party, base + ROOM),
    condition: new Condition(lock, base + CONDITION),
  };
}

/** A member's side: its number is the first argument; handed are the frame, and what the party's maker gave it. */
function* attached(os: Os): Steps<Shared> {
  const memory = yield* os.memorySpace();
  const [frame, ...rest] = os.handed;
  const { address } = yield* memory.map(os.cspace.as(Frame, frame!, ["map"]));
  return shared(os.sys, address, Party.attach(os.sys, address, Number(os.args[1]), rest));
}

/** Adds to a number that the lock guards, in steps that others could come between. */
function* add({ sys, base, lock }: Shared, times: number): Steps<number> {
  let deaths = 0;
  for (let i = 0; i < times; i++) {
    if (yield* lock.acquire()) deaths++;
    const before = sys.load32(base + DATA);
    yield i % 3 === 0 ? sys.yield() : sys.nothing();
    sys.store32(base + DATA, before + 1);
    yield* lock.release();
  }
  return deaths;
}

/** Goes on when somebody has said that it is so far. */
function* until({ sys, base }: Shared, state: number): Steps<void> {
  while (sys.atomicLoad(base + STATE) < state) yield sys.yield();
}

const roles: Record<string, Role> = {
  *adder(os) {
    return yield* add(yield* attached(os), Number(os.args[2]));
  },
  /** Takes the lock, says so, and ends by itself or waits for its end. */
  *holder(os) {
    const { sys, base, lock } = yield* attached(os);
    const died = yield* lock.acquire();
    sys.atomicAdd(base + STATE, 1);
    if (os.args[2] === "leaves") return died ? 1 : 0;
    yield sys.wait(yield* os.notification());
    return 2;
  },
  /** Says that it is about to wait for the lock, takes it, and lets it go. */
  *waiter(os) {
    const { sys, base, lock } = yield* attached(os);
    sys.atomicAdd(base + STATE, 1);
    const died = yield* lock.acquire();
    yield* lock.release();
    return died ? 1 : 0;
  },
  /** Takes items until one is the last; their sum modulo 200. */
  *consumer(os) {
    const { sys, base, lock, items, room } = yield* attached(os);
    for (let sum = 0; ; ) {
      yield* items.acquire();
      yield* lock.acquire();
      const at = base + DATA + 4 + (sys.load32(base + DATA) % 4) * 4;
      const item = sys.load32(at);
      // The last is left to the others.
      if (item >= 0) sys.store32(base + DATA, sys.load32(base + DATA) + 1);
      yield* lock.release();
      if (item < 0) {
        yield* items.release();
        return sum % 200;
      }
      sum += item;
      yield* room.release();
    }
  },
  /** Waits until the number is as large as told, by the condition. */
  *waitsFor(os) {
    const { sys, base, lock, condition } = yield* attached(os);
    yield* lock.acquire();
    sys.store32(base + STATE, sys.load32(base + STATE) + 1);
    while (sys.load32(base + DATA) < Number(os.args[2])) yield* condition.wait();
    yield* lock.release();
    return 7;
  },
};

interface Made extends Shared {
  readonly region: OwnRegion;
  join(id: number, role: string, core: number, ...args: string[]): Steps<Child>;
  end(...children: Child[]): Steps<number[]>;
}

/** A party with a lock and all else, in a page of its own. */
function* party(os: Os, members: number): Steps<Made> {
  const memory: Memory = yield* os.memorySpace();
  const region = yield* memory.allocate(4096);
  truly(PARTY_BYTES <= LOCK && LOCK_BYTES <= ITEMS - LOCK, "things have their places");
  const { party, peers } = yield* Party.make(os, region.address, members);
  return {
    ...shared(os.sys, region.address, party),
    region,
    *join(id, role, core, ...args) {
      const handed = [region.frame.handle, ...peers[id]!];
      const child = yield* spawnChild(os, role, handed, { core, args: [String(id), ...args] });
      yield* party.watch(id, child.process);
      return child;
    },
    *end(...children) {
      const statuses: number[] = [];
      for (const child of children) statuses.push((yield* childEnded(os, child)).status);
      yield* party.free();
      yield* region.free();
      return statuses;
    },
  };
}

export const tests = new GuestTests();

onCores(tests, "of what a lock guards no change is lost, whoever makes it", function* (os, core) {
  const made = yield* party(os, 4);
  const children: Child[] = [];
  for (let id = 1; id < 4; id++)
    children.push(yield* made.join(id, "adder", id === 2 ? os.core : core, "150"));
  same(yield* add(made, 150), 0);
  for (const child of children) yield* childEnded(os, child);
  same(os.sys.load32(made.base + DATA), 600);
  same(os.sys.atomicLoad(made.base + LOCK), 0, "free at last");
  same(yield* made.end(...children), [0, 0, 0]);
});

for (const how of ["leaves", "is killed"])
  onCores(tests, `a holder that ${how} is told of to the next, and to none after it`, function* (os, core) {
    const made = yield* party(os, 3);
    const holder = yield* made.join(1, "holder", core, how);
    yield* until(made, 1);
    // One waits already, or comes later.
    const waiter = yield* made.join(2, "waiter", core);
    yield* until(made, 2);
    if (how === "is killed") yield* process.kill(os.sys, holder.process);
    const told = (yield* made.lock.acquire()) ? 1 : 0;
    yield* made.lock.release();
    const { status } = yield* childEnded(os, waiter);
    same(told + status, 1, "told once");
    same(yield* made.lock.acquire(), false);
    yield* made.lock.release();
    yield* made.end(holder, waiter);
  });

onCores(tests, "one that waits for a lock and ends keeps it from nobody", function* (os, core) {
  const made = yield* party(os, 4);
  yield* made.lock.acquire();
  const waiters: Child[] = [];
  for (let id = 1; id < 4; id++) waiters.push(yield* made.join(id, "waiter", core));
  yield* until(made, 3);
  while (os.sys.atomicLoad(made.base + LOCK + 4) !== 0b1110) yield os.sys.yield();
  yield* process.kill(os.sys, waiters[0]!.process);
  yield* made.lock.release();
  const statuses = yield* made.end(waiters[1]!, waiters[2]!);
  same(statuses, [0, 0]);
});

onCores(
  tests,
  "what a former member held is held by nobody, though another has its number",
  function* (os, core) {
    const made = yield* party(os, 3);
    const former = yield* made.join(1, "holder", core, "leaves");
    same((yield* childEnded(os, former)).status, 0);
    const renew = function* (id: number): Steps<number> {
      try {
        yield* made.party.renew(id);
      } catch (error) {
        return (error as { code: number }).code;
      }
      return Err.OK;
    };
    same(yield* renew(2), Err.BUSY, "a member that has not ended");
    // Its monitor is told a moment after it has ended.
    while ((yield* renew(1)) === Err.BUSY) yield os.sys.yield();
    const next = yield* made.join(1, "waiter", core);
    same((yield* childEnded(os, next)).status, 1, "told that the former has ended");
    same(yield* made.lock.acquire(), false);
    yield* made.lock.release();
    yield* made.end();
  },
);

onCores(tests, "as many items are taken as were put, by whoever takes them", function* (os, core) {
  const { sys } = os;
  const made = yield* party(os, 4);
  yield* made.room.release(4);
  const children: Child[] = [];
  for (let id = 1; id < 4; id++) children.push(yield* made.join(id, "consumer", id === 2 ? os.core : core));
  const put = function* (i: number, item: number): Steps<void> {
    yield* made.room.acquire();
    sys.store32(made.base + DATA + 4 + (i % 4) * 4, item);
    yield* made.items.release();
  };
  let sum = 0;
  for (let i = 0; i < 300; i++) {
    yield* put(i, 1 + (i % 3));
    sum += 1 + (i % 3);
  }
  yield* put(300, -1);
  const statuses = yield* made.end(...children);
  same(statuses.reduce((all, one) => all + one, 0) % 200, sum % 200);
});

onCores(
  tests,
  "a condition wakes one that waits, or all, and none before what it waits for is so",
  function* (os, core) {
    const { sys } = os;
    const made = yield* party(os, 4);
    const children: Child[] = [];
    for (let id = 1; id < 4; id++)
      children.push(yield* made.join(id, "waitsFor", core, id === 1 ? "1" : "2"));
    while (sys.atomicLoad(made.base + CONDITION + 4) !== 0b1110) yield sys.yield();
    yield* made.lock.acquire();
    same(sys.load32(made.base + STATE), 3);
    sys.store32(made.base + DATA, 1);
    yield* made.condition.broadcast();
    yield* made.lock.release();
    same((yield* childEnded(os, children[0]!)).status, 7);
    while (sys.atomicLoad(made.base + CONDITION + 4) !== 0b1100) yield sys.yield();
    yield* made.lock.acquire();
    sys.store32(made.base + DATA, 2);
    yield* made.condition.signal();
    yield* made.condition.signal();
    yield* made.lock.release();
    same(yield* made.end(...children), [7, 7, 7]);
  },
);

tests.add("a lock is taken once, let go by who has it, and not had by who is nobody", function* (os) {
  const made = yield* party(os, 2);
  const wrong = function* (steps: () => Steps<unknown>): Steps<string> {
    try {
      yield* steps();
    } catch (error) {
      return (error as Error).name;
    }
    return "nothing";
  };
  same(yield* wrong(() => made.lock.release()), "RangeError");
  same((yield* made.lock.tryAcquire()).acquired, true);
  same(yield* wrong(() => made.lock.acquire()), "RangeError", "twice");
  yield* made.lock.release();
  os.sys.store32(made.base + LOCK, 0x7fff_ff77);
  same(yield* wrong(() => made.lock.acquire()), "RangeError", "a key of no member");
  for (const members of [0, 1, MAX_MEMBERS + 1, 2.5])
    same(yield* wrong(() => Party.make(os, made.base, members)), "RangeError", `${members} members`);
  same(made.items.tryAcquire(), false);
  for (const count of [0, -1, 0.5, 2 ** 31])
    same(yield* wrong(() => made.items.release(count)), "RangeError");
  yield* made.end();
});

tests.add("a party that was freed leaves nothing behind", function* (os) {
  const round = function* (members: number) {
    const made = yield* party(os, members);
    yield* made.end();
  };
  for (let members = 2; members <= MAX_MEMBERS; members++) yield* round(members);
  const free = os.slots.free;
  for (let i = 0; i < 20; i++) yield* round(2 + (i % (MAX_MEMBERS - 1)));
  same(os.slots.free, free);
});

export default function* main(sys: Sys) {
  return yield* perform(start(sys), tests, roles);
}
