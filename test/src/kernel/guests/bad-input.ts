/** Every operation against every kind of wrong argument: see bad-input-table.ts. */
import { Method, ObjectType, Right, type Sys } from "@capos/abi";
import { cnode, type Os, type Steps, start, untyped } from "@capos/libos";
import {
  carried,
  dump,
  emptySlot,
  invoked,
  makeWorld,
  number,
  plain,
  table,
  used,
  type Word,
  type World,
} from "./support/bad-input-table.js";
import { CEILING, Err, GuestTests, invoke, perform, same } from "./support/kit.js";

export const tests = new GuestTests();
type Rows = (os: Os, world: World) => Steps<readonly Word[]>;

function operation(name: string, method: number, rows: Rows): void {
  tests.add(`${name}: every wrong argument answers its error and changes nothing`, function* (os) {
    const world = yield* makeWorld(os);
    yield* table(os, world, method, yield* rows(os, world));
    yield* world.arena.close();
  });
}

const RIGHTS = number(Right.SEND, 0, Right.ALL);
const W = Right.WRITE;

operation("copy", Method.CNODE_COPY, function* (os, w) {
  return [yield* invoked(os, w, w.space, W), emptySlot(3), carried(w, w.endpoint), RIGHTS];
});

operation("copy of a sealed one", Method.CNODE_COPY, function* (os, w) {
  return [yield* invoked(os, w, w.space, W), emptySlot(3), carried(w, w.sealed), RIGHTS];
});

operation("mint", Method.CNODE_MINT, function* (os, w) {
  const badged = yield* w.arena.mint(w.endpoint, 3);
  const source = carried(w, w.endpoint);
  const wrong = [
    ...source.wrong,
    { value: badged, what: "a badged one", errors: [Err.DENIED] },
    { value: w.sealed, what: "a sealed one", errors: [Err.SEALED] },
    { value: w.memory, what: "untyped memory", errors: [Err.UNSUPPORTED] },
  ];
  const badge = number(9, 1, 2 ** 32 - 1);
  return [
    yield* invoked(os, w, w.space, W),
    emptySlot(3),
    { ...source, wrong },
    RIGHTS,
    {
      good: 9,
      wrong: badge.wrong.filter((it) => !(it.value >= 1 && it.value < 2 ** 32 && Number.isInteger(it.value))),
    },
  ];
});

operation("move", Method.CNODE_MOVE, function* (os, w) {
  return [yield* invoked(os, w, w.space, W), emptySlot(3), carried(w, yield* w.arena.copy(w.endpoint))];
});

operation("delete", Method.CNODE_DELETE, function* (os, w) {
  return [yield* invoked(os, w, w.space, W), number(7, 1, 7)];
});

operation("inspect", Method.CNODE_INSPECT, function* (os, w) {
  return [yield* invoked(os, w, w.space, Right.READ), number(7, 1, 7)];
});

operation("revoke", Method.CNODE_REVOKE, function* (os, w) {
  const target = carried({ ...w, nothing: w.nothing.filter((it) => it !== w.full) }, w.full);
  const weak = yield* cnode.copy(os.sys, w.space, 6, w.endpoint, Right.ALL & ~Right.REVOKE);
  const wrong = [
    ...target.wrong,
    { value: weak, what: "one without REVOKE", errors: [Err.DENIED] },
    { value: w.endpoint, what: "a handle of another CNode", errors: [Err.BAD_CAP] },
  ];
  return [yield* invoked(os, w, w.space, W), { good: w.full, wrong }];
});

operation("seal", Method.CNODE_SEAL, function* (os, w) {
  const source = carried(w, w.endpoint);
  const wrong = [
    ...source.wrong,
    { value: w.sealed, what: "a sealed one", errors: [Err.SEALED] },
    { value: w.memory, what: "untyped memory", errors: [Err.UNSUPPORTED] },
  ];
  const by = yield* used(os, w, w.sealer, W, [w.endpoint, w.space]);
  return [yield* invoked(os, w, w.space, W), emptySlot(3), { ...source, wrong }, by];
});

operation("unseal", Method.CNODE_UNSEAL, function* (os, w) {
  const source = carried(w, w.sealed);
  const wrong = [...source.wrong, { value: w.endpoint, what: "an open one", errors: [Err.BAD_TYPE] }];
  const by = yield* used(os, w, w.sealer, Right.READ, [w.endpoint, w.space]);
  const other = yield* w.arena.make(ObjectType.SEALER);
  const others = [...by.wrong, { value: other, what: "another sealer", errors: [Err.DENIED] }];
  return [yield* invoked(os, w, w.space, W), emptySlot(3), { ...source, wrong }, { ...by, wrong: others }];
});

operation("expire", Method.CNODE_EXPIRE, function* (os, w) {
  const time = number(60e9, 1, 2 ** 53 - 1);
  const wrong = time.wrong.filter((it) => !(Number.isSafeInteger(it.value) && it.value >= 1));
  return [
    yield* invoked(os, w, w.space, W),
    emptySlot(3),
    carried(w, w.endpoint),
    RIGHTS,
    { good: 60e9, wrong },
  ];
});

for (const [name, type, bits, low, high] of [
  ["an endpoint", ObjectType.ENDPOINT, 0, 0, 0],
  ["a CNode", ObjectType.CNODE, 2, 1, 16],
  ["untyped memory", ObjectType.UNTYPED, 8, 6, 31],
] as const) {
  operation(`retype to ${name}`, Method.UNTYPED_RETYPE, function* (os, w) {
    const types = [
      -1,
      0,
      0.5,
      Number.NaN,
      1e300,
      2 ** 32 + type,
      ObjectType.REPLY,
      ObjectType.DEBUG,
      19,
      20,
      63,
      64 + type,
    ];
    return [
      yield* invoked(os, w, w.memory, W),
      { good: type, wrong: types.map((value) => ({ value, what: `type ${value}`, errors: [Err.BAD_TYPE] })) },
      low === 0 ? plain(bits) : { good: bits, wrong: number(bits, low, high).wrong },
      {
        good: 2,
        wrong: [
          ...number(2, 1, 1024).wrong,
          { value: 7, what: "a window past the end", errors: [Err.RANGE] },
          { value: 6, what: "an occupied slot", errors: [Err.SLOT_OCCUPIED] },
        ],
      },
      yield* used(os, w, w.space, W, [w.endpoint, w.process]),
      {
        good: 2,
        wrong: [
          ...number(2, 1, 6).wrong,
          { value: 6, what: "an occupied slot", errors: [Err.SLOT_OCCUPIED] },
        ],
      },
    ];
  });
}

operation("untyped info", Method.UNTYPED_INFO, function* (os, w) {
  return [yield* invoked(os, w, w.memory, 0)];
});

operation("configure a process", Method.PROCESS_CONFIGURE, function* (os, w) {
  const threads = number(0, 0, 100_000, Err.RANGE).wrong.map((it) =>
    it.value > 0 && Number.isInteger(it.value) && it.value < 2 ** 31
      ? { ...it, errors: [Err.NO_RESOURCE] }
      : it,
  );
  return [
    yield* invoked(os, w, w.process, W),
    yield* used(os, w, w.space, W, [w.endpoint, w.thread]),
    yield* used(os, w, os.environment.image, Right.EXECUTE, [w.endpoint, w.space]),
    { good: 0, wrong: threads },
    number(0, 0, 0),
  ];
});

operation("verify", Method.PROCESS_VERIFY, function* (os, w) {
  return [yield* invoked(os, w, w.process, Right.READ), yield* used(os, w, w.endpoint, 0), RIGHTS];
});

operation("kill", Method.PROCESS_KILL, function* (os, w) {
  return [yield* invoked(os, w, w.process, W)];
});

operation("ceiling", Method.PROCESS_CEILING, function* (os, w) {
  return [yield* invoked(os, w, w.process, W), number(0, 0, 0)];
});

operation("configure a thread", Method.THREAD_CONFIGURE, function* (os, w) {
  return [
    yield* invoked(os, w, w.thread, W),
    yield* used(os, w, os.environment.process, W, [w.endpoint, w.thread]),
    number(os.core, 0, os.cores - 1),
    number(5, 0, CEILING),
  ];
});

for (const [name, method] of [
  ["bind", Method.THREAD_BIND],
  ["watch", Method.MONITOR_WATCH],
] as const) {
  operation(name, method, function* (os, w) {
    const right = method === Method.THREAD_BIND ? Right.RECEIVE : Right.SEND;
    const signals = yield* used(os, w, w.notification, right, [w.endpoint, w.space]);
    if (method === Method.MONITOR_WATCH) {
      const target = yield* used(os, w, w.process, Right.READ, [w.endpoint, w.space, w.monitor]);
      return [yield* invoked(os, w, w.monitor, W), target, signals];
    }
    // Only a thread that has its place can be bound.
    same(
      yield* invoke(os.sys, w.thread, Method.THREAD_CONFIGURE, os.environment.process, os.core, 5),
      0,
      "place",
    );
    return [yield* invoked(os, w, w.thread, W), signals];
  });
}

operation("set a priority", Method.THREAD_PRIORITY, function* (os, w) {
  same(
    yield* invoke(os.sys, w.thread, Method.THREAD_CONFIGURE, os.environment.process, os.core, 5),
    0,
    "place",
  );
  return [yield* invoked(os, w, w.thread, W), number(6, 0, CEILING)];
});

for (const [name, method, right] of [
  ["thread status", Method.THREAD_STATUS, Right.READ],
  ["destroy", Method.THREAD_DESTROY, W],
] as const)
  operation(name, method, function* (os, w) {
    return [yield* invoked(os, w, w.thread, right)];
  });

operation("process status", Method.PROCESS_STATUS, function* (os, w) {
  return [yield* invoked(os, w, w.process, Right.READ)];
});

operation("monitor status", Method.MONITOR_STATUS, function* (os, w) {
  return [yield* invoked(os, w, w.monitor, Right.READ)];
});

tests.add(
  "untyped memory's own CNode as destination, full but for what is wanted: all or nothing",
  function* (os) {
    const w = yield* makeWorld(os);
    const { sys } = os;
    const before = yield* dump(os, w);
    const retype = (count: number, first: number) =>
      invoke(sys, w.memory, Method.UNTYPED_RETYPE, ObjectType.ENDPOINT, 0, count, w.space, first);
    same(yield* retype(7, 1), Err.SLOT_OCCUPIED, "one of seven is occupied");
    same(yield* retype(33, 1), Err.RANGE, "more than fit");
    same(yield* dump(os, w), before, "nothing");
    same(yield* retype(6, 1), 0, "the six that are empty");
    same((yield* untyped.info(sys, w.memory)).leftBytes, 4096 - 6 * 128, "what is left");
    yield* w.arena.close();
  },
);

export default function* main(sys: Sys) {
  return yield* perform(start(sys), tests, {});
}
