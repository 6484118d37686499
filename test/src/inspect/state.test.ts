/** What an inspection says of a machine whose memory was written by hand. */
import { ObjectType, Slot, SlotFlag } from "@capos/abi";
import { BootInfo, CoreArea, coreArea, Power } from "@capos/hal";
import { inspect, MAX_SLOTS, type MachineState, partsOf, render, SECTIONS } from "@capos/inspect";
import { KernelCore, KernelInfo, Process, Tables } from "@capos/kernel/layout";
import t from "tap";
import { Memory, makeSmallSystem, type SmallSystem } from "./support/written-machine.js";

const look = ({ memory }: SmallSystem): MachineState => inspect(memory.machine.memory, { lock: true });

t.test("a machine without a kernel has cores and a memory map, and nothing else", (t) => {
  const { machine } = new Memory();
  machine.memory.i32[KernelInfo.TABLES] = 0;
  const state = inspect(machine.memory, { lock: true });
  t.equal(state.cores.length, 2);
  t.same([state.processes, state.threads, state.cspaces, state.tree.nodes], [[], [], [], []]);
  t.ok(state.memory.regions.length > 0);
  t.ok(render(state).length > 0);
  t.end();
});

t.test("processes are told with their quota, their maker and what they made", (t) => {
  const state = look(makeSmallSystem());
  t.match(state.processes, [
    { number: 1, name: "init", life: "running", threadsLeft: 40, ceiling: 255, maker: null, made: [2] },
    { number: 2, name: "echo", threads: 3, threadsLeft: 5, ceiling: 120, maker: 1, made: [], monitors: 1 },
  ]);
  t.equal(state.machine.consistent, true);
  t.same(state.machine.damage, []);
  t.end();
});

t.test(
  "a thread is told with what it waits for, the slot it waits through, and whom it owes a reply",
  (t) => {
    const system = makeSmallSystem();
    const { threads } = look(system);
    t.same(
      threads.map(({ number, state }) => [number, state]),
      [
        [1, "awaiting reply"],
        [2, "queued"],
        [3, "queued"],
        [4, "queued"],
        [5, "running"],
      ],
    );
    t.match(threads[0].waits, { at: "thread 5 of echo", object: null });
    t.match(threads[1].waits, {
      as: "receiver",
      object: system.endpoint * 4,
      through: { kind: "slot", holder: "echo", index: 5 },
      throughHolds: true,
    });
    t.match(threads[2].waits, { as: "waiter", throughHolds: true });
    t.match(threads[3].waits, { as: "waiter", throughHolds: false }, "its slot is of another generation");
    t.equal(threads[4].waits, null);
    t.equal(threads[4].owesReplyTo, 1);
    t.end();
  },
);

t.test("a reply to a call that is over is owed to nobody", (t) => {
  const system = makeSmallSystem();
  const { i32 } = system.memory;
  const caller = i32[i32[system.memory.tables + Tables.THREAD_TABLE] + 1];
  i32[caller + 1]++;
  t.equal(look(system).threads[4].owesReplyTo, null);
  t.end();
});

t.test("a CSpace is told slot by slot: rights by letter, badge, flags, time left", (t) => {
  const system = makeSmallSystem();
  const { cspaces } = look(system);
  t.same(
    cspaces.map(({ holder, processes, slots }) => [holder, processes, slots]),
    [
      ["init", [1], 64],
      ["echo", [2], 16],
    ],
  );
  const echo = cspaces[1];
  t.match(echo, { live: 3, dead: 1, reserved: 1 });
  const [receive, send, signal] = echo.capabilities;
  t.match(receive, { type: "endpoint", rights: "-----cg-", badge: 0, bytes: 128, place: { index: 5 } });
  t.match(send, { rights: "----s---", badge: 7, flags: ["badged", "minted", "orphaned"] });
  t.match(signal, { type: "notification", flags: ["sealed", "badged", "expires"], badge: 2 });
  t.ok(signal!.expiresInNs! > 3000e9 && signal!.expiresInNs! <= 3600e9, `${signal!.expiresInNs}`);
  t.equal(receive!.expiresInNs, null);
  t.end();
});

t.test("the derivation tree has every slot once, below what it was made from", (t) => {
  const system = makeSmallSystem();
  const { nodes, complete } = look(system).tree;
  t.equal(complete, true);
  t.equal(new Set(nodes.map(({ address }) => address)).size, nodes.length);
  t.equal(nodes[0].place.kind, "root");
  for (const [index, { parent, depth }] of nodes.entries()) {
    t.equal(depth, parent === -1 ? 0 : nodes[parent].depth + 1);
    t.ok(parent < index, "a parent comes before its children");
  }
  const find = (slot: number) => nodes.find(({ address }) => address === slot * 4)!;
  const parentOf = (slot: number) => nodes[find(slot).parent].address / 4;
  t.equal(parentOf(system.echoSlot(5)), system.initSlot(22));
  t.equal(parentOf(system.initSlot(22)), system.untyped);
  const bindings = nodes.filter(({ place }) => place.kind === "binding").map(({ place }) => place.holder);
  t.match(bindings.sort(), [
    /^monitor 0x[0-9a-f]+: notification$/,
    /^monitor 0x[0-9a-f]+: target$/,
    "process 2 echo: CSpace",
  ]);
  t.match(
    nodes.filter(({ place }) => place.kind === "header"),
    [{ state: "dead", type: "notification" }],
  );
  t.end();
});

t.test("a chain of copies is told however long it is", (t) => {
  const system = makeSmallSystem();
  const { memory } = system;
  const length = 20_000;
  const slots = memory.take(length * Slot.WORDS);
  for (let i = 0, parent = system.initSlot(22); i < length; i++)
    parent = memory.hold(slots + i * Slot.WORDS, {
      type: ObjectType.ENDPOINT,
      object: system.endpoint,
      parent,
    });
  const state = look(system);
  t.equal(Math.max(...state.tree.nodes.map(({ depth }) => depth)), length + 2);
  t.ok(JSON.stringify(state).length > length);
  t.ok(render(state).length < 2000, "the text is cut");
  t.end();
});

t.test("a tree larger than an inspection reads says so", (t) => {
  const system = makeSmallSystem();
  const { memory } = system;
  const slots = memory.take((MAX_SLOTS + 10) * Slot.WORDS);
  for (let i = 0; i < MAX_SLOTS + 10; i++) {
    memory.hold(slots + i * Slot.WORDS, {
      type: ObjectType.ENDPOINT,
      object: system.endpoint,
      parent: system.initSlot(22),
    });
  }
  const { tree } = look(system);
  t.equal(tree.complete, false);
  t.equal(tree.nodes.length, MAX_SLOTS);
  t.end();
});

t.test("queues are told in the order in which they are served", (t) => {
  const system = makeSmallSystem();
  const { queues } = look(system);
  t.match(queues.endpoints, [
    {
      address: system.endpoint * 4,
      home: 1,
      kind: "receivers",
      queue: [{ thread: 2, as: "receiver" }],
      orphans: [7],
    },
  ]);
  const waited = queues.notifications.find(({ address }) => address === system.notification * 4)!;
  t.same(
    waited.queue.map(({ thread, as }) => [thread, as]),
    [
      [3, "waiter"],
      [4, "waiter"],
    ],
  );
  t.match(queues.monitors, [{ target: "process 2 echo", ended: null }]);
  t.match(queues.reaping, [{ core: 1, object: /^notification 0x/, work: ["finalise"] }]);
  t.match(queues.sweeping, [{ core: 0, object: /^endpoint 0x/ }]);
  t.end();
});

t.test(
  "cores are told with their thread, their attention by name, and the counters of their snapshot",
  (t) => {
    const system = makeSmallSystem();
    const { memory } = system.memory.machine;
    const area = coreArea(memory, 1);
    memory.i32[area + CoreArea.ATTENTION] = 1 | 1024;
    memory.i32[area + KernelCore.SWITCHES] = 77;
    const { cores } = look(system);
    t.match(cores[0], { core: 0, stateName: "online", thread: null, attention: [] });
    t.match(cores[1], { thread: 5, switches: 77, halted: true, attention: ["grace", "halted"] });
    t.end();
  },
);

t.test("memory is told by owner, and each byte of untyped memory once", (t) => {
  const { memory } = look(makeSmallSystem());
  t.match(memory.owners, [
    {
      owner: "init",
      process: 1,
      untypedBytes: 2 ** 20,
      usedBytes: 4096,
      freeBytes: 2 ** 20 - 4096,
      objects: { cnode: 1, process: 1, endpoint: 1, notification: 2, thread: 1, monitor: 1 },
    },
  ]);
  t.equal(memory.owners.length, 1);
  t.equal(memory.freeBytes, 2 ** 20 - 4096);
  const pool = memory.regions.find(({ name }) => name === "free")!.bytes;
  t.equal(memory.kernelBytes, pool - 2 ** 20);
  t.end();
});

t.test("a reply hangs from its caller's header, and its holder is who owes it", (t) => {
  const system = makeSmallSystem();
  const { memory } = system;
  const { i32 } = memory;
  const table = i32[memory.tables + Tables.THREAD_TABLE];
  const caller = i32[table + 1];
  i32[i32[table + 5] + 2] = 0;
  memory.hold(system.echoSlot(10), {
    type: ObjectType.REPLY,
    object: caller,
    parent: caller + 112,
    badge: 9,
  });
  const state = look(system);
  const reply = state.tree.nodes.find(({ type }) => type === "reply")!;
  t.match(reply, { depth: 1, badge: 9, designates: "reply to thread 1 of init" });
  t.match(state.tree.nodes[reply.parent], {
    parent: -1,
    place: { kind: "header", holder: "thread 1 of init" },
  });
  t.match(state.threads[0].waits, { at: "the holder of echo slot 10" });
  t.end();
});

t.test("every number of the text is in the state that it was made of", (t) => {
  const state = look(makeSmallSystem());
  const copy = JSON.parse(JSON.stringify(state)) as MachineState;
  t.same(copy, state, "JSON loses nothing");
  t.same(render(copy), render(state));
  const parts = partsOf(state);
  t.same([...new Set(parts.map(({ section }) => section))], [...SECTIONS]);
  const rows = (section: string) =>
    parts.filter((part) => part.section === section).flatMap((part) => part.rows);
  t.same(
    rows("threads").map(([number]) => Number(number)),
    state.threads.map(({ number }) => number),
  );
  t.equal(
    rows("cspaces").length,
    state.cspaces.reduce((sum, { live }) => sum + live, 0),
  );
  t.equal(rows("tree").length, state.tree.nodes.length);
  for (const { columns, rows } of parts)
    for (const row of rows) t.equal(row.length, Math.max(columns.length, 1), row.join(" "));
  t.end();
});

t.test("what is left out of the text is counted", (t) => {
  const state = look(makeSmallSystem());
  const limits = { rows: 2, children: 3 };
  const threads = partsOf(state, limits).find(({ section }) => section === "threads")!;
  t.equal(threads.rows.length, 2);
  t.equal(threads.leftOut, 3);
  t.ok(render(state, limits).includes("  ... and 3 more"));
  const tree = partsOf(state, { rows: 100, children: 2 }).find(({ section }) => section === "tree")!;
  const counted = tree.rows.map(([line]) => {
    const more = /\.\.\. and (\d+) more here(?:, with (\d+) derived)?/.exec(line!);
    return more === null ? 1 : Number(more[1]) + Number(more[2] ?? 0);
  });
  t.equal(
    counted.reduce((sum, count) => sum + count, 0),
    state.tree.nodes.length,
  );
  t.ok(tree.rows.length < state.tree.nodes.length);
  t.end();
});

t.test("only the sections that a state has are rendered", (t) => {
  const { machine, threads } = look(makeSmallSystem());
  t.same([...new Set(partsOf({ machine, threads }).map(({ section }) => section))], ["threads"]);
  t.end();
});

t.test("the tree lock is held while the tree is read, and free afterwards", (t) => {
  const system = makeSmallSystem();
  const { i32 } = system.memory;
  t.equal(look(system).machine.consistent, true);
  t.equal(i32[KernelInfo.TREE_LOCK], i32[KernelInfo.TREE_LOCK_TICKET]);
  const { memory } = system.memory.machine;
  t.equal(inspect(memory, { lock: true, core: 1 }).machine.consistent, true, "a core looks");
  t.equal(i32[coreArea(memory, 1) + KernelCore.TREE_LOCKED], 0, "and holds nothing afterwards");
  i32[KernelInfo.TREE_LOCK_TICKET]++;
  const held = look(system);
  t.equal(held.machine.consistent, false, "somebody has it for good");
  t.ok(held.tree.nodes.length > 10, "the tree is read without");
  t.equal(i32[KernelInfo.TREE_LOCK_TICKET], i32[KernelInfo.TREE_LOCK] + 1, "no ticket was drawn");
  i32[BootInfo.POWER] = Power.PANIC;
  t.equal(look(system).machine.consistent, false);
  t.end();
});

t.test("a slot that stands in no known object is told by its address", (t) => {
  const system = makeSmallSystem();
  const stray = system.memory.hold(system.memory.take(16), {
    type: ObjectType.ENDPOINT,
    object: system.endpoint,
    parent: system.initSlot(22),
    flags: SlotFlag.BINDING,
  });
  const node = look(system).tree.nodes.find(({ address }) => address === stray * 4)!;
  t.equal(node.place.kind, "unknown");
  t.end();
});

t.test(
  "of processes with one name each is told by its number, and no name moves the terminal's cursor",
  (t) => {
    const system = makeSmallSystem();
    const { memory, init, echo } = system;
    const { u8 } = memory.machine.memory;
    for (const process of [init, echo]) {
      memory.i32[process + Process.NAME_BYTES] = 3;
      [0x1b, 0x5b, 0x41].forEach((byte, i) => {
        u8[(process + Process.NAME) * 4 + i] = byte;
      });
    }
    const state = look(system);
    t.same(
      state.cspaces.map(({ holder }) => holder),
      ["process 1 \\x1b[A", "process 2 \\x1b[A"],
    );
    t.notOk(render(state).join("").includes("\u001b"));
    t.end();
  },
);
