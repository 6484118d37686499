/** The state of a machine that runs: as a library, from inside, and from another process. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { MachineState, TreeNode } from "@capos/inspect";
import { boot, compileGuest } from "@capos/machine";
import t, { type Test } from "tap";
import { caposSmp, ROOT } from "../support/cli-process.js";
import { beside, ownTemporaryFolder } from "./support/other-processes.js";

/** What is true of the tree of any machine that runs. */
function checkTree(t: Test, { machine, tree, cspaces }: MachineState): void {
  t.equal(machine.consistent, true);
  t.same(machine.damage, []);
  t.equal(tree.complete, true);
  t.equal(new Set(tree.nodes.map(({ address }) => address)).size, tree.nodes.length, "each slot once");
  const unknown = tree.nodes.filter(({ place }) => place.kind === "unknown");
  t.same(unknown, [], "each slot is somebody's");
  const dead = tree.nodes.filter(({ state, place }) => state !== "live" && place.kind === "slot");
  t.same(dead, [], "no dead slot is in the tree");
  const inSpaces = cspaces.reduce((sum, { live }) => sum + live, 0);
  t.equal(inSpaces, tree.nodes.filter(({ place }) => place.kind === "slot").length);
  const wider = tree.nodes.filter((node) => node.parent > 0 && exceeds(node, tree.nodes[node.parent]));
  t.same(wider, [], "no capability has a right that the one it was derived from lacks");
}

/** Types of capabilities that may lead to an object's address and are none to it. */
const OTHERS: ReadonlySet<string> = new Set(["reply", "untyped"]);

/** Each object counts its capabilities: those that the tree has. */
function checkReferences(t: Test, { tree, queues, processes, threads }: MachineState): void {
  const wrong: string[] = [];
  for (const { address, references } of [
    ...queues.endpoints,
    ...queues.notifications,
    ...processes,
    ...threads,
  ]) {
    const live = tree.nodes.filter(
      (node) => node.object === address && node.state === "live" && !OTHERS.has(node.type),
    );
    // What watches a process or a thread does not keep it.
    const weak = live.filter(({ type, place }) => place.kind === "binding" && /process|thread/.test(type));
    if (references !== live.length - weak.length)
      wrong.push(`0x${address.toString(16)} counts ${references} of ${live.length - weak.length}`);
  }
  t.same(wrong, [], "each object counts its capabilities");
}

function exceeds(node: TreeNode, parent: TreeNode): boolean {
  if (node.object !== parent.object || parent.place.kind === "header") return false;
  return [...node.rights].some((letter, i) => letter !== "-" && parent.rights[i] === "-");
}

t.test("a machine as a library tells all of its state", async (t) => {
  const machine = await boot({ cores: 2, memoryMiB: 64, onConsole: () => {}, logLevel: "silent" });
  t.teardown(() => machine.halt());
  const state = await machine.inspect();
  checkTree(t, state);
  checkReferences(t, state);
  t.equal(state.cores.length, 2);
  t.match(state.cores[0], { core: 0, stateName: "online", incarnation: 0 });
  t.ok(state.cores[0].switches > 0, "the counters of a snapshot are there");
  t.match(state.processes[0], { number: 1, name: "init", life: "running", maker: null });
  const names = new Set(state.processes.map(({ name }) => name));
  for (const service of ["init", "names", "log", "console"]) t.ok(names.has(service), service);
  for (const { number, maker } of state.processes) t.ok(number === 1 || maker !== null, `maker of ${number}`);
  const { memory, processes, threads } = state;
  t.equal(
    memory.freeBytes,
    memory.owners.reduce((sum, owner) => sum + owner.freeBytes, 0),
  );
  t.ok(memory.kernelBytes > 0 && memory.imageBytes > 0 && memory.images > 0);
  for (const { number, threads: count } of processes)
    t.equal(threads.filter(({ process, life }) => process === number && life === "running").length, count);
  const receiving = threads.filter(({ waits }) => waits?.as === "receiver" && waits.through !== null);
  t.ok(receiving.length > 0, "the services receive");
  for (const { waits } of receiving) t.ok(waits!.throughHolds, waits!.at);
});

t.test("a machine in another process is shown as text and as JSON", async (t) => {
  const { env, folder } = ownTemporaryFolder(t);
  const run = await beside(env, async (pid) => {
    const json = await caposSmp(["inspect", "--json"], { env });
    t.equal(json.status, 0, json.stderr);
    const state = JSON.parse(json.stdout) as MachineState;
    checkTree(t, state);
    const guest = state.processes.find(({ name }) => name === "waits.ts")!;
    t.match(guest, { life: "running", threads: 1, status: 0 });
    const thread = state.threads.find(({ process }) => process === guest.number)!;
    t.match(thread, { state: "queued", waits: { as: "waiter", throughHolds: true } });
    const space = state.cspaces.find(({ processes }) => processes.includes(guest.number))!;
    t.equal(thread.waits!.through!.cnode, space.address);
    const signaller = space.capabilities.find(({ badge, type }) => badge === 7 && type === "notification")!;
    t.match(signaller, { rights: "----s---", object: thread.waits!.object });

    const timed = space.capabilities.find(({ expiresInNs }) => expiresInNs !== null)!;
    t.match(timed, { type: "notification", rights: "r-------", flags: ["expires", "timed"] });
    t.ok(timed.expiresInNs! > 3000e9 && timed.expiresInNs! <= 3600e9, `expires in ${timed.expiresInNs} ns`);
    t.equal(state.queues.expiring, 1);
    t.ok(state.queues.nextExpiryInNs! > 0);

    const text = await caposSmp(["inspect", String(pid)], { env });
    t.equal(text.status, 0, text.stderr);
    t.match(text.stdout, /^ +\d+ +waits\.ts +running /m);
    t.match(text.stdout, /as waiter at notification 0x[0-9a-f]+ through waits\.ts\[\d+\]/);
    t.match(text.stdout, /^ +notification 0x[0-9a-f]+ ----s--- badge 7 minted: waits\.ts\[\d+\]$/m);
    t.match(text.stdout, /^CSpace of waits\.ts: \d+ slots/m);
  });
  t.equal(run.status, 130, "the machine went on until it was ended");
  t.same(readdirSync(folder), [], "and took its file away");
});

t.test("while guests come and go the tree is whole at every look", async (t) => {
  const machine = await boot({ cores: 2, memoryMiB: 128, onConsole: () => {}, logLevel: "silent" });
  t.teardown(() => machine.halt());
  const thrower = await compileGuest(join(ROOT, "test/fixtures/cli/throws.ts"));
  for (let round = 0; round < 10; round++) {
    const runs = [0, 1].map((core) => machine.runImage(thrower, { cores: [core], untyped: 4096 }));
    const looks: MachineState[] = [];
    let over = false;
    const ended = Promise.all(runs).then(() => {
      over = true;
    });
    while (!over) looks.push(await machine.inspect());
    await ended;
    for (const state of looks) {
      t.equal(state.machine.consistent, true);
      t.same(state.machine.damage, []);
    }
  }
  const state = await machine.inspect();
  checkTree(t, state);
  checkReferences(t, state);
});

t.test("sections can be chosen, and no others are told", async (t) => {
  const { env } = ownTemporaryFolder(t);
  await beside(env, async () => {
    const json = await caposSmp(["inspect", "--json", "--only", "threads,cores"], { env });
    t.same(Object.keys(JSON.parse(json.stdout) as object), ["machine", "cores", "threads"]);
    const text = await caposSmp(["inspect", "--only", "tree"], { env });
    t.match(text.stdout, /^derivation tree: \d+ slots$/m);
    t.notMatch(text.stdout, /^(threads|cores|memory map|CSpace of .*)$/m);
  });
});

t.test(
  "a guest with the Debug capability has the machine dumped on the kernel's line, and goes on",
  async (t) => {
    const run = await caposSmp(["run", "--cores", "2", "--debug", "test/fixtures/cli/dumps.ts"]);
    t.equal(run.status, 0, run.stderr);
    t.equal(run.stdout, "still here\n");
    t.match(run.stderr, /^machine: 2 cores, 256 MiB, power on, .*of one instant$/m);
    t.match(run.stderr, /^ {2}thread \d+: of \d+ dumps\.ts, .*life running, state running/m);
    t.match(run.stderr, /^ {2}root: all that the kernel gave away$/m);
    t.match(run.stderr, /^ {2}memory 0x[0-9a-f]+: size .*, for free$/m, "to its last line");
  },
);
