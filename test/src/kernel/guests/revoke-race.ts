/** Revokes that meet others: more urgent threads, other revokes, their own end, and who keeps on copying. */
import { handleIndex, LifeState, Method, ObjectType, Right, SlotState, type Sys } from "@capos/abi";
import { cnode, type Os, type SpawnedThread, type Steps, start, thread } from "@capos/libos";
import { Arena, isHeld, remove, revoke } from "./support/authority.js";
import {
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
  truly,
} from "./support/kit.js";

const COPIES = 10_000;

/** True while the oldest of the copies, which is killed last, is there. */
function* unfinished(os: Os, space: number): Steps<boolean> {
  yield* invoke(os.sys, space, Method.CNODE_INSPECT, 1);
  return os.sys.words[3] === SlotState.LIVE;
}

const roles: Record<string, Role> = {
  /** Waits until it is revoked; ends with 1 if the revoke is not over then. */
  *witness(os) {
    const [through, space] = os.handed;
    const answer = yield os.sys.wait(through!);
    if (answer !== Err.REVOKED) return 100 - answer;
    return (yield* unfinished(os, space!)) ? 1 : 0;
  },
  /** As witness; destroys a thread then. */
  *assassin(os) {
    const [through, space, victim] = os.handed;
    const answer = yield os.sys.wait(through!);
    if (answer !== Err.REVOKED) return 100 - answer;
    const status = (yield* unfinished(os, space!)) ? 1 : 0;
    yield* thread.destroy(os.sys, victim!);
    return status;
  },
  /** As witness; revokes another capability then. */
  *usurper(os) {
    const [through, space, above] = os.handed;
    const answer = yield os.sys.wait(through!);
    if (answer !== Err.REVOKED) return 100 - answer;
    const status = (yield* unfinished(os, space!)) ? 1 : 0;
    const revoked = yield* invoke(os.sys, os.environment.cnode, Method.CNODE_REVOKE, above!);
    return revoked === 0 ? status : -revoked;
  },
  /** Waits for the word, revokes what it was handed, ends with the answer. */
  *revoker(os) {
    const [target, go] = os.handed;
    if (go !== undefined) yield os.sys.wait(go);
    return -(yield* invoke(os.sys, os.environment.cnode, Method.CNODE_REVOKE, target!));
  },
  /** Copies what it was handed, and copies that, for ever; counts nothing. */
  *storm(os) {
    const { sys, environment } = os;
    const slots = os.slots.take(4);
    for (;;) {
      yield* invoke(sys, environment.cnode, Method.CNODE_COPY, slots, os.handed[0], 255);
      let last = sys.words[0];
      for (let i = 1; i < 4; i++) {
        if ((yield* invoke(sys, environment.cnode, Method.CNODE_COPY, slots + i, last, 255)) !== 1) break;
        last = sys.words[0];
      }
      yield sys.notify(os.handed[1]);
      for (let i = 0; i < 4; i++) yield* invoke(sys, environment.cnode, Method.CNODE_DELETE, slots + i);
    }
  },
};

export const tests = new GuestTests();
const own = (os: Os) => os.environment.cnode;

interface Family {
  readonly arena: Arena;
  readonly source: number;
  readonly space: number;
  /** Descendants in one's own CSpace, between the copies: the first is the oldest. */
  readonly between: readonly number[];
}

/** A notification's copy with 10,000 copies in a CNode, and some in one's own CSpace between them. */
function* family(os: Os, arena: Arena, source: number, into = 0): Steps<Family> {
  const space = into !== 0 ? into : yield* arena.make(ObjectType.CNODE, 14);
  const between: number[] = [];
  for (let i = 1; i <= COPIES; i++) {
    yield* cnode.copy(os.sys, space, i, source, Right.ALL);
    if (i % 1000 === 0) between.push(yield* arena.copy(source));
  }
  return { arena, source, space, between };
}

/** Nothing of the family but its source is left. */
function* extinct(os: Os, it: Family): Steps<void> {
  let alive = 0;
  for (let i = 1; i <= COPIES; i++) {
    yield* invoke(os.sys, it.space, Method.CNODE_INSPECT, i);
    if (os.sys.words[3] === SlotState.LIVE) alive++;
  }
  same(alive, 0, "copies alive");
  for (const handle of it.between) truly(!(yield* isHeld(os, handle)), "a copy between");
}

tests.add("more urgent threads of the same core run while 10,000 are being revoked", function* (os) {
  const arena = yield* Arena.large(os);
  const it = yield* family(os, arena, yield* arena.copy(yield* arena.notification()));
  const threads: SpawnedThread[] = [];
  for (const through of it.between)
    threads.push(yield* spawn(os, "witness", [through, it.space], { slots: 1 }));
  yield* settled(os, ...threads);
  yield* revoke(os, it.source);
  same(
    yield* ended(os, ...threads),
    threads.map(() => 1),
    "each saw a revoke that was not over",
  );
  yield* extinct(os, it);
  yield* drop(os, ...threads);
  yield* arena.close();
});

onCores(
  tests,
  "a revoker that is destroyed half-way leaves a tree that a second revoke finishes",
  function* (os, core) {
    const arena = yield* Arena.large(os);
    const it = yield* family(os, arena, yield* arena.copy(yield* arena.notification()));
    const go = yield* arena.notification();
    const revoker = yield* spawn(os, "revoker", [it.source, go], { core, priority: 60, slots: 1 });
    const assassin = yield* spawn(os, "assassin", [it.between[8], it.space, revoker.handle], {
      core,
      slots: 1,
    });
    yield* settled(os, revoker, assassin);
    same(yield os.sys.notify(go), 0, "go");
    const [status] = yield* ended(os, assassin);
    same((yield* thread.status(os.sys, revoker.handle)).state, LifeState.KILLED, "the revoker");
    same(status, 1, "it was half-way");
    truly(yield* unfinished(os, it.space), "and stays there");
    // What is left can be used, copied, and given back.
    const survivor = it.between[0];
    same(yield os.sys.notify(survivor), 0, "a survivor");
    const child = yield* arena.copy(survivor);
    yield* revoke(os, it.source);
    yield* extinct(os, it);
    truly(!(yield* isHeld(os, child)), "the survivor's copy");
    yield* drop(os, revoker, assassin);
    yield* arena.close();
  },
);

onCores(
  tests,
  "a revoke whose own capability is taken back meanwhile answers BAD_CAP, the other one OK",
  function* (os, core) {
    const arena = yield* Arena.large(os);
    const above = yield* arena.copy(yield* arena.notification());
    const it = yield* family(os, arena, yield* arena.copy(above));
    const go = yield* arena.notification();
    const revoker = yield* spawn(os, "revoker", [it.source, go], { core, priority: 60, slots: 1 });
    const usurper = yield* spawn(os, "usurper", [it.between[9], it.space, above], { core, slots: 1 });
    yield* settled(os, revoker, usurper);
    same(yield os.sys.notify(go), 0, "go");
    same(yield* ended(os, usurper), [1], "the outer revoke began in the middle of the inner one");
    same(yield* ended(os, revoker), [failed(Err.BAD_CAP)], "the inner one");
    yield* extinct(os, it);
    truly(!(yield* isHeld(os, it.source)), "its capability");
    truly(yield* isHeld(os, above), "the outer one's");
    yield* drop(os, revoker, usurper);
    yield* arena.close();
  },
);

onCores(
  tests,
  "revokes of the same capability and of one below it, at once, all return",
  function* (os, core) {
    const { sys } = os;
    const arena = yield* Arena.large(os);
    const top = yield* arena.copy(yield* arena.notification());
    const go = yield* arena.notification();
    const space = yield* arena.make(ObjectType.CNODE, 14);
    for (let round = 0; round < 3; round++) {
      const middle = yield* os.copy(top, Right.ALL);
      const it = yield* family(os, arena, middle, space);
      const threads: SpawnedThread[] = [];
      for (const target of [top, middle, middle, top])
        threads.push(
          yield* spawn(os, "revoker", [target, go], {
            core: (core + threads.length) % os.cores,
            priority: 50,
            slots: 1,
          }),
        );
      yield* settled(os, ...threads);
      for (let i = 0; i < threads.length; i++) {
        same(yield sys.notify(go), 0, "go");
        if (round !== 1) yield* settled(os);
      }
      while ((yield sys.notify(go)) === 0) {
        let running = 0;
        for (const { handle } of threads)
          if ((yield* thread.status(sys, handle)).state === LifeState.RUNNING) running++;
        if (running === 0) break;
        yield sys.yield();
      }
      const statuses = yield* ended(os, ...threads);
      for (const i of [0, 3]) same(statuses[i], 0, "of the upper one");
      for (const i of [1, 2])
        truly(statuses[i] === 0 || statuses[i] === failed(Err.BAD_CAP), `of the lower one: ${statuses[i]}`);
      yield* extinct(os, it);
      truly(!(yield* isHeld(os, middle)), "the lower one");
      yield* drop(os, ...threads);
      yield* os.drop(middle);
      yield sys.poll(go);
      for (const between of it.between) yield* remove(os, between);
    }
    yield* arena.close();
  },
);

onCores(
  tests,
  "who copies without end, also the very capability, does not keep its revoke from ending",
  function* (os, core) {
    const { sys } = os;
    const arena = yield* Arena.of(os);
    const [source, ticks] = [yield* arena.copy(yield* arena.notification()), yield* arena.notification()];
    const storms: SpawnedThread[] = [];
    for (let i = 0; i < 4; i++)
      storms.push(yield* spawn(os, "storm", [source, ticks], { core: (core + i) % os.cores, priority: 50 }));
    for (let i = 0; i < 60; i++) {
      yield sys.wait(ticks);
      yield* revoke(os, source);
    }
    for (const it of storms)
      same((yield* thread.status(sys, it.handle)).state, LifeState.RUNNING, "it goes on");
    yield* drop(os, ...storms);
    yield* revoke(os, source);
    same(yield* invoke(sys, own(os), Method.CNODE_INSPECT, handleIndex(source)), 8, "the source");
    yield* arena.close();
  },
);

export default function* main(sys: Sys) {
  return yield* perform(start(sys), tests, roles);
}
