/** Inspecting a machine that runs: as a library, from inside, and from another process. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { MachineState, TreeNode } from "@capos/kernel/host";
import { boot } from "capos";
import t, { type Test } from "tap";
import { caposSmp, type Finished } from "./cli-process.js";

const WAITS = "test/fixtures/cli/waits.ts";

/** An empty folder for temporary files, where no other test's machine is. Short: a socket's path has little room. */
function ownTemporaryFolder(t: Test): { env: Record<string, string>; folder: string } {
  const path = mkdtempSync(join(tmpdir(), "inspect-"));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return { env: { TMPDIR: path }, folder: join(path, `capos-smp-${userInfo().uid}`) };
}

/** Runs a machine whose guest waits for ever, does something beside it, and ends it. */
async function beside(
  env: Record<string, string>,
  use: (pid: number) => Promise<void>,
  args: readonly string[] = [WAITS],
): Promise<Finished> {
  let using: Promise<void> | null = null;
  const finished = await caposSmp(["run", "--cores", "2", "--memory", "64", ...args], {
    env,
    onOutput(text, kill, pid) {
      if (using !== null || !text.includes("waiting")) return;
      using = use(pid).finally(() => kill("SIGINT"));
    },
  });
  if (using === null) throw new Error(`the machine did not come up: ${finished.stderr}`);
  await using;
  return finished;
}

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
  const wider = tree.nodes.filter((node) => node.parent > 0 && exceeds(node, tree.nodes[node.parent]!));
  t.same(wider, [], "no capability has a right that the one it was derived from lacks");
}

function exceeds(node: TreeNode, parent: TreeNode): boolean {
  if (node.object !== parent.object || parent.place.kind === "anchor") return false;
  return [...node.rights].some((letter, i) => letter !== "-" && parent.rights[i] === "-");
}

t.test("a machine as a library tells all of its state", async (t) => {
  const machine = await boot({ cores: 2, memoryMiB: 64, onConsole: () => {}, logLevel: "silent" });
  t.teardown(() => machine.halt());
  const state = await machine.inspect();
  checkTree(t, state);
  t.equal(state.cores.length, 2);
  t.match(state.cores[0], { core: 0, stateName: "online", incarnation: 0 });
  t.ok(state.cores[0]!.switches > 0, "the counters of a snapshot are there");
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

    const text = await caposSmp(["inspect", String(pid)], { env });
    t.equal(text.status, 0, text.stderr);
    t.match(text.stdout, /^ +\d+ +waits\.ts +running /m);
    t.match(text.stdout, /as waiter at notification 0x[0-9a-f]+ through waits\.ts\[\d+\]/);
    t.match(text.stdout, /^ +notification 0x[0-9a-f]+ 128 B ----s--- badge 7 minted: waits\.ts\[\d+\]$/m);
    t.match(text.stdout, /^CSpace of waits\.ts: \d+ slots/m);
  });
  t.equal(run.status, 130, "the machine went on until it was ended");
  t.same(readdirSync(folder), [], "and took its file away");
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

t.test("with two machines one must be named, and the choice is told", async (t) => {
  const { env } = ownTemporaryFolder(t);
  await beside(env, async (first) => {
    await beside(env, async (second) => {
      const both = [first, second].sort((a, b) => a - b).join(", ");
      const open = await caposSmp(["inspect"], { env });
      t.equal(open.status, 2);
      t.equal(
        open.stderr,
        `capos-smp: which machine? machines run in processes ${both}: say one of these numbers\n`,
      );
      const named = await caposSmp(["inspect", String(second), "--only", "cores"], { env });
      t.equal(named.status, 0);
      const wrong = await caposSmp(["inspect", String(process.pid)], { env });
      t.equal(wrong.status, 2);
      t.match(wrong.stderr, `process ${process.pid} runs no machine; machines run in processes ${both}\n`);
    });
  });
});

t.test("a client that says nothing, or nonsense, holds up neither the machine nor others", async (t) => {
  const { env, folder } = ownTemporaryFolder(t);
  const run = await beside(env, async (pid) => {
    const silent = connect(join(folder, String(pid)));
    silent.on("error", () => {});
    await new Promise((resolve) => silent.once("connect", resolve));
    const wrong = connect(join(folder, String(pid)));
    wrong.end("GET / HTTP/1.1\r\n\r\n");
    let answer = "";
    for await (const bytes of wrong) answer += String(bytes);
    t.match(JSON.parse(answer), { error: "this is no request" });
    t.equal((await caposSmp(["inspect", "--only", "cores"], { env })).status, 0);
  });
  t.equal(run.status, 130);
});

t.test("a machine that cannot open its door runs all the same, and says so at debug", async (t) => {
  const { env, folder } = ownTemporaryFolder(t);
  mkdirSync(folder, { mode: 0o755 });
  const quiet = await beside(env, async () => {
    const refused = await caposSmp(["inspect"], { env });
    t.equal(refused.status, 2);
    t.match(refused.stderr, /is open to other users\n$/);
  });
  t.equal(quiet.status, 130);
  t.notMatch(quiet.stderr, /open to other users/);
  const verbose = await beside(env, async () => {}, ["--log-level", "debug", WAITS]);
  t.match(verbose.stderr, /capos-smp inspect cannot ask this machine: .* is open to other users/);
});

t.test("what a machine left behind is taken away, and is no machine", async (t) => {
  const { env, folder } = ownTemporaryFolder(t);
  const killed = await caposSmp(["run", "--cores", "2", "--memory", "64", WAITS], {
    env,
    onOutput: (text, kill) => text.includes("waiting") && kill("SIGKILL"),
  });
  t.equal(killed.signal, "SIGKILL");
  t.equal(readdirSync(folder).length, 1);
  const none = await caposSmp(["inspect"], { env });
  t.equal(none.status, 2);
  t.match(none.stderr, /^capos-smp: no machine is running: /);
  t.same(readdirSync(folder), []);
  // A number that another process has by now: it is alive and listens at nothing.
  writeFileSync(join(folder, String(process.pid)), "");
  const stranger = await caposSmp(["inspect"], { env });
  t.equal(stranger.status, 2);
  t.match(stranger.stderr, `capos-smp: process ${process.pid} runs no machine\n`);
  t.notOk(existsSync(join(folder, String(process.pid))));
});

t.test("whoever answers with something else than a state is no machine that can be shown", async (t) => {
  const { env, folder } = ownTemporaryFolder(t);
  mkdirSync(folder, { mode: 0o700 });
  for (const [answer, expected] of [
    ["", /ended before it answered/],
    ['{"state":{"mach', /ended before it answered/],
    ['{"error":"out of order"}', /cannot say: out of order/],
  ] as const) {
    const server = createServer((socket) => socket.resume().end(answer));
    await new Promise<void>((resolve) => server.listen(join(folder, String(process.pid)), resolve));
    const asked = await caposSmp(["inspect"], { env });
    await new Promise((resolve) => server.close(resolve));
    t.equal(asked.status, 1);
    t.match(asked.stderr, expected);
    t.equal(asked.stderr.trim().split("\n").length, 1);
  }
});

t.test("wrong arguments are one line that says what is possible, and status 2", async (t) => {
  const { env } = ownTemporaryFolder(t);
  const cases: [string[], RegExp][] = [
    [["inspect"], /no machine is running: start one with capos-smp run, bench or stress/],
    [["inspect", "1"], /process 1 runs no machine; no machine is running/],
    [["inspect", "99999999"], /process 99999999 runs no machine/],
    [["inspect", "init"], /number of a process/],
    [["inspect", "0"], /number of a process/],
    [["inspect", "--only", "colours"], /no section colours, the sections are cores, processes, threads/],
    [["inspect", "--only", "cores,"], /no section/],
    [["inspect", "1", "2"], /too many arguments/],
  ];
  for (const [args, expected] of cases) {
    const run = await caposSmp(args, { env });
    t.equal(run.status, 2, args.join(" "));
    t.match(run.stderr, expected);
    t.equal(run.stderr.trim().split("\n").length, 1, run.stderr);
    t.equal(run.stdout, "");
  }
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
    t.match(run.stderr, /^ {2}memory 0x[0-9a-f]+: size .*, free$/m, "to its last line");
  },
);
