/** A server's own objects: it is told, with the badge, when nobody holds what it minted any more. */
import { handleIndex, Right, type Sys } from "@capos/abi";
import { cnode, type Os, process, type Steps, start } from "@capos/libos";
import { Arena, isHeld, quiet, remove, revoke } from "./support/authority.js";
import {
  drop,
  Err,
  ended,
  GuestTests,
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
  /** Receives once; ends with the badge that it is told of, or 100 and the words of a message. */
  *server(os) {
    const n = yield os.sys.recv(os.handed[0]);
    if (n < 0) return -n;
    return os.sys.noSenders() ? os.sys.badge() : 100 + n;
  },
  /** As server, by a reply and a receive in one trap after it has taken a call. */
  *replier(os) {
    const { sys, handed } = os;
    yield sys.recv(handed[0]);
    const n = yield sys.replyRecv(handed[0], 0);
    if (n < 0) return -n;
    return sys.noSenders() ? sys.badge() : 100 + n;
  },
  /** In a process of its own: holds what it was handed, copies of it, and waits. */
  *holder(os) {
    for (let i = 0; i < 3; i++) yield* os.copy(os.handed[0], Right.ALL);
    yield os.sys.notify(os.handed[1]);
    yield os.sys.wait(os.handed[2]);
    return 0;
  },
};

export const tests = new GuestTests();
const own = (os: Os) => os.environment.cnode;

/** Takes what waits at the endpoint: the badges that nobody has, in their order, then nothing. */
function* told(os: Os, endpoint: number): Steps<number[]> {
  const { sys } = os;
  const badges: number[] = [];
  for (;;) {
    const n = yield sys.nbRecv(endpoint);
    if (n === Err.WOULD_BLOCK) return badges.sort((a, b) => a - b);
    same([n, sys.noSenders(), sys.notified(), sys.arrived()], [0, true, false, 0], "what is told");
    badges.push(sys.badge());
  }
}

tests.add(
  "the last descendant's end is told once, and again each time it happens; the minted slot stays",
  function* (os) {
    const arena = yield* Arena.of(os);
    const endpoint = yield* arena.endpoint();
    const minted = yield* arena.mint(endpoint, 0xffff_ffff);
    same(yield* told(os, endpoint), [], "one that never had a descendant");
    for (let i = 0; i < 3; i++) {
      const first = yield* os.copy(minted, Right.SEND);
      const second = yield* os.copy(first, Right.SEND);
      yield* os.drop(first);
      same(yield* told(os, endpoint), [], "one is left");
      yield* os.drop(second);
      same(yield* told(os, endpoint), [0xffff_ffff], "none is left");
      same(yield* told(os, endpoint), [], "and once");
    }
    truly(yield* isHeld(os, minted), "the minted slot");
    yield* arena.close();
  },
);

tests.add(
  "each badge for itself: siblings, plain copies and the endpoint's own deletes are nobody's end",
  function* (os) {
    const arena = yield* Arena.of(os);
    const endpoint = yield* arena.endpoint();
    const minted = [
      yield* arena.mint(endpoint, 1),
      yield* arena.mint(endpoint, 2),
      yield* arena.mint(endpoint, 3),
    ];
    const copies: number[] = [];
    for (const it of minted) copies.push(yield* arena.copy(it));
    const plain = yield* arena.copy(endpoint);
    yield* remove(os, yield* arena.copy(plain));
    yield* remove(os, plain);
    same(yield* told(os, endpoint), [], "a plain copy");
    yield* remove(os, copies[1]);
    same(yield* told(os, endpoint), [2], "the second");
    for (const i of [0, 2]) yield* remove(os, copies[i]);
    same(yield* told(os, endpoint), [1, 3], "both others");
    yield* arena.close();
  },
);

tests.add(
  "a minted slot that is deleted before it is told of is told of no more; its children tell nothing",
  function* (os) {
    const arena = yield* Arena.of(os);
    const endpoint = yield* arena.endpoint();
    const others = [
      yield* arena.mint(endpoint, 1),
      yield* arena.mint(endpoint, 2),
      yield* arena.mint(endpoint, 3),
    ];
    for (const it of others) yield* remove(os, yield* arena.copy(it));
    yield* remove(os, others[1]);
    same(yield* told(os, endpoint), [1, 3], "the two that are left");
    const minted = yield* arena.mint(endpoint, 9);
    const child = yield* arena.copy(minted);
    yield* remove(os, minted);
    yield* remove(os, child);
    same(yield* told(os, endpoint), [], "it was deleted first");
    yield* arena.close();
  },
);

tests.add("one that has a descendant again when it would be told of is passed over", function* (os) {
  const arena = yield* Arena.of(os);
  const endpoint = yield* arena.endpoint();
  const minted = yield* arena.mint(endpoint, 7);
  yield* remove(os, yield* arena.copy(minted));
  const child = yield* arena.copy(minted);
  same(yield* told(os, endpoint), [], "it has one again");
  yield* remove(os, child);
  same(yield* told(os, endpoint), [7], "now it has none");
  yield* arena.close();
});

tests.add(
  "a minted slot that moves is told of from where it is, also while it waits to be told of",
  function* (os) {
    const { sys } = os;
    const arena = yield* Arena.of(os);
    const endpoint = yield* arena.endpoint();
    const minted: number[] = [];
    for (let badge = 1; badge <= 4; badge++) minted.push(yield* arena.mint(endpoint, badge));
    for (const it of minted) yield* remove(os, yield* arena.copy(it));
    for (const i of [0, 2, 3]) minted[i] = yield* cnode.move(sys, own(os), arena.slot(), minted[i]);
    same(yield* told(os, endpoint), [1, 2, 3, 4], "all of them");
    const child = yield* arena.copy(minted[2]);
    minted[2] = yield* cnode.move(sys, own(os), arena.slot(), minted[2]);
    yield* remove(os, child);
    same(yield* told(os, endpoint), [3], "after another move");
    yield* arena.close();
  },
);

tests.add(
  "a revoke of the minted slot and of the endpoint: the first is told, the second leaves nothing to tell",
  function* (os) {
    const arena = yield* Arena.of(os);
    const endpoint = yield* arena.endpoint();
    const minted = yield* arena.mint(endpoint, 7);
    yield* arena.copy(minted);
    yield* revoke(os, minted);
    same(yield* told(os, endpoint), [7], "the minted slot's revoke");
    yield* arena.copy(minted);
    yield* revoke(os, endpoint);
    same(yield* told(os, endpoint), [], "the endpoint's");
    truly(!(yield* isHeld(os, minted)), "the minted slot is dead");
    yield* arena.close();
  },
);

tests.add(
  "a minted slot whose badge waits to be told of can be deleted with all else: the endpoint ends",
  function* (os) {
    const arena = yield* Arena.of(os);
    const endpoint = yield* arena.endpoint();
    for (let badge = 1; badge <= 20; badge++) {
      const minted = yield* arena.mint(endpoint, badge);
      yield* remove(os, yield* arena.copy(minted));
    }
    yield* arena.close();
  },
);

tests.add(
  "a hundred sessions that end while nobody receives are told one by one, before queued messages",
  function* (os) {
    const { sys } = os;
    const arena = yield* Arena.of(os);
    const endpoint = yield* arena.endpoint();
    const first = arena.slot(200);
    for (let i = 0; i < 100; i++) {
      const minted = yield* cnode.mint(sys, own(os), first + i, endpoint, 255, i + 1);
      yield* cnode.copy(sys, own(os), first + 100 + i, minted, Right.SEND);
    }
    for (let i = 0; i < 100; i++) yield* cnode.delete(sys, own(os), first + 100 + ((i * 37) % 100));
    const badges = yield* told(os, endpoint);
    same(badges.length, 100, "how many");
    for (let i = 0; i < 100; i++) same(badges[i], i + 1, "badge");
    yield* arena.close();
  },
);

for (const role of ["server", "replier"]) {
  onCores(tests, `a ${role} that waits is told, wherever it is`, function* (os, core) {
    const arena = yield* Arena.of(os);
    const endpoint = yield* arena.endpoint();
    const { sys } = os;
    for (let i = 0; i < 10; i++) {
      const minted = yield* os.copy(endpoint, 255, 20 + i);
      const copy = yield* os.copy(minted, Right.SEND);
      const server = yield* spawn(os, role, [endpoint], { core });
      if (role === "replier") same(yield sys.call(endpoint, 0), 0, "the call");
      yield* settled(os, server);
      yield* os.drop(copy);
      same(yield* ended(os, server), [20 + i], "what the server was told");
      yield* drop(os, server);
      same(yield* told(os, endpoint), [], "once");
      yield* os.drop(minted);
    }
    yield* arena.close();
  });
}

onCores(tests, "two servers that wait are told of one badge each", function* (os, core) {
  const arena = yield* Arena.of(os);
  const endpoint = yield* arena.endpoint();
  const minted = [yield* arena.mint(endpoint, 1), yield* arena.mint(endpoint, 2)];
  const copies = [yield* arena.copy(minted[0]), yield* arena.copy(minted[1])];
  const servers = [
    yield* spawn(os, "server", [endpoint], { core }),
    yield* spawn(os, "server", [endpoint], { core: (os.core + 2) % os.cores }),
  ];
  yield* settled(os, ...servers);
  for (const it of copies) yield* remove(os, it);
  const statuses = yield* ended(os, ...servers);
  same(statuses.sort(), [1, 2], "what they were told");
  yield* drop(os, ...servers);
  yield* arena.close();
});

onCores(tests, "the end of a client that held it, and of copies in flight, is told", function* (os, core) {
  const { sys } = os;
  const arena = yield* Arena.of(os);
  const endpoint = yield* arena.endpoint();
  const [ready, go] = [yield* arena.notification(), yield* arena.notification()];
  for (const how of ["kill", "exit"]) {
    const minted = yield* arena.mint(endpoint, 44);
    const child = yield* spawnChild(os, "holder", [minted, ready, go], { core });
    yield sys.wait(ready);
    same(yield* told(os, endpoint), [], "it lives");
    if (how === "exit") yield sys.notify(go);
    else yield* process.kill(sys, child.process);
    // Whoever waits is told, however long the client's end takes.
    same(yield sys.recv(endpoint), 0, "told");
    same([sys.noSenders(), sys.badge()], [true, 44], "of the client's badge");
    same(yield* told(os, endpoint), [], "once");
    yield* process.kill(sys, child.process);
    for (const it of [child.thread, child.cnode, child.process]) yield* os.drop(it);
    yield* remove(os, minted);
  }
  yield* quiet(os);
  truly(handleIndex(endpoint) > 0, "the endpoint");
  yield* arena.close();
});

export default function* main(sys: Sys) {
  return yield* perform(start(sys), tests, roles);
}
