import { readFileSync, writeFileSync } from "node:fs";
import { Err, Right } from "@capos/abi";
import {
  Echo,
  endProcess,
  endThread,
  type SpawnedThread,
  type Steps,
  spawnProcess,
  spawnThread,
  start,
} from "@capos/libos";
import t from "tap";
import ts from "typescript";
import { boot } from "./support/boot.js";
import { type FakeThread, Image } from "./support/fake.js";

t.test("a spawned thread finds its index, its arguments and what it was handed", (t) => {
  const found: unknown[] = [];
  const { world } = boot(function* (sys) {
    const os = start(sys);
    found.push([os.threadIndex, os.core, os.args, os.handed, os.slots.first, os.slots.count, os.name]);
    if (os.threadIndex > 0) return;
    const one = yield* spawnThread(os, { core: 1, args: ["a", "b"], handed: [7, 8] });
    yield* spawnThread(os, { slots: 3 });
    t.equal(one.index, 1);
    const free = os.slots.free;
    yield* endThread(os, one);
    t.equal(
      os.slots.free,
      free + 17,
      "its slots come back, and that of the thread; its block waits in its slot",
    );
  });
  world.run();
  t.ok(world.threads.slice(3).every(({ ended }) => ended));
  t.same(found, [
    [0, 0, [], [], 9, 40, "guest"],
    [1, 1, ["a", "b"], [7, 8], 9, 16, "guest"],
    [2, 0, [], [], 27, 3, "guest"],
  ]);
  t.end();
});

t.test("a spawn that fails leaves nothing behind but blocks of memory, which the next takes", (t) => {
  const { world, first } = boot(function* (sys) {
    const os = start(sys);
    const { image } = os.environment;
    const seen = yield* os.copy(image, Right.ALL & ~Right.EXECUTE);
    const failures: [() => Steps<unknown>, object][] = [
      [
        () => spawnThread(os, { core: 9 }),
        { code: Err.RANGE, message: "configure thread: ERR_RANGE, permitted is 0 to 1" },
      ],
      [() => spawnThread(os, { args: ["x".repeat(300)] }), { name: "RangeError" }],
      [() => spawnThread(os, { slots: 41 }), { code: Err.NO_RESOURCE }],
      [() => spawnProcess(os, { image: 5, name: "none" }), { code: Err.BAD_CAP }],
      [() => spawnProcess(os, { image: os.environment.cnode, name: "none" }), { code: Err.BAD_TYPE }],
      [() => spawnProcess(os, { image: seen, name: "none" }), { code: Err.DENIED }],
      [() => spawnProcess(os, { image, name: "deaf", gifts: [{ handle: 12345 }] }), { code: Err.BAD_CAP }],
      [
        () => spawnProcess(os, { image, name: "far", core: 9, memoryBits: 15 }),
        { code: Err.RANGE, message: "configure thread: ERR_RANGE, permitted is 0 to 1" },
      ],
    ];
    const { free } = os.slots;
    const held = first.cspace.size;
    // Blocks of 1 KiB and 32 KiB, and another of these for the memory of the last.
    for (const [round, blocks] of [
      [0, 3],
      [1, 3],
      [2, 3],
    ] as const) {
      for (const [spawn, expected] of failures) {
        try {
          yield* spawn();
          t.fail("no error");
        } catch (error) {
          t.match(error, expected);
        }
      }
      t.equal(os.slots.free, free - blocks, `round ${round}`);
      t.equal(first.cspace.size, held + blocks);
    }
  });
  world.run();
  t.ok(first.ended);
  t.end();
});

t.test("memory for four threads, or for one process, is enough for any number one after the other", (t) => {
  const { world, first } = boot(
    function* (sys) {
      const os = start(sys);
      if (os.threadIndex > 0) return;
      const { free } = os.slots;
      for (let round = 0; round < 50; round++) {
        const threads: SpawnedThread[] = [];
        for (let i = 0; i < 4; i++) threads.push(yield* spawnThread(os, { slots: 2 }));
        for (const one of threads) yield* endThread(os, one);
      }
      t.equal(os.slots.free, free - 4, "a slot for each block");
    },
    { memory: 4 },
  );
  world.run();
  t.same(first.ended, { value: undefined });

  const second = boot(
    function* (sys) {
      const os = start(sys);
      for (let round = 0; round < 50; round++) {
        const child = yield* spawnProcess(os, { image: quiet, name: "child", memoryBits: 12 });
        t.equal(child.memory.length, 2);
        for (const block of child.memory) t.ok(second.first.find(block.handle));
        yield* endProcess(os, child);
        for (const handle of [child.process, child.thread, child.cnode]) t.notOk(second.first.find(handle));
      }
    },
    { memory: 2 },
  );
  const quiet = second.first.put(
    60,
    new Image(function* (sys) {
      yield sys.nothing();
    }),
  );
  second.world.run();
  t.same(second.first.ended, { value: undefined });
  t.end();
});

t.test("a spawned process has a CSpace of its own with what it was given", (t) => {
  const { world, first, heard } = boot(function* (sys) {
    const os = start(sys);
    const endpoint = yield* os.endpoint();
    const child = yield* spawnProcess(os, {
      image: other,
      name: "child",
      core: 1,
      args: ["x"],
      gifts: [{ handle: endpoint, rights: Right.SEND, badge: 9 }],
      memoryBits: 16,
      cnodeBits: 6,
    });
    t.not(child.process, 0);
    let badge = 0;
    yield* Echo.serve(sys, endpoint, {
      ping: ({ value }, context) => {
        badge = context.badge;
        context.end();
        return { value: value + 1 };
      },
      say: () => {},
    });
    t.equal(badge, 9);
  });
  let answered = 0;
  let child: FakeThread | undefined;
  const image = new Image(function* (sys) {
    child = sys as FakeThread;
    const os = start(sys);
    t.same([os.name, os.args, os.core, os.environment.debug], ["child", ["x"], 1, 0]);
    t.equal(os.slots.first + os.slots.count, 64, "all of its CSpace is its own");
    answered = (yield* Echo.client(sys, os.handed[0]).ping({ value: 1 })).value;
    yield* os.print("from the child");
    const own = yield* os.endpoint();
    t.ok(child.find(own), "it makes objects from its own memory");
    t.equal(child.find(os.environment.image)?.object, image, "it can start more of itself");
  });
  const other = first.put(60, image);
  world.run();
  t.equal(answered, 2);
  t.same(heard.console, ["from the child"]);
  t.end();
});

/** Runs an example of docs/examples on two cores and gives its lines and how its threads ended. */
async function example(name: string) {
  const source = new URL(`../../../docs/examples/${name}.ts`, import.meta.url);
  const compiled = new URL(`./libos-example-${name}.mjs`, import.meta.url);
  writeFileSync(
    compiled,
    ts.transpile(readFileSync(source, "utf8"), {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2023,
    }),
  );
  const { default: main } = await import(compiled.href);
  const { world, heard } = boot(main);
  world.run();
  return { lines: heard.console, ended: world.threads.slice(3).map(({ ended }) => ended) };
}

// The one that asks ends; the one that answers would go on until the process ends.
const ENDED = [{ value: 0 }, undefined];

t.test("the ping-pong example runs", async (t) => {
  t.same(await example("ping-pong"), { lines: ["1000 round trips"], ended: ENDED });
});

t.test("the read-only example shows what it says", async (t) => {
  t.same(await example("read-only"), {
    lines: [
      "lent: milk",
      "forced: IpcError: notes.append: ERR_DENIED",
      "taken back: IpcError: notes.read: ERR_BAD_CAP",
      "mine: milk",
    ],
    ended: ENDED,
  });
});
