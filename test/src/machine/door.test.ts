/** How a machine in another process is found and asked, and all that can be wrong with that. */
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import t from "tap";
import { caposSmp } from "../support/cli-process.js";
import { beside, ownTemporaryFolder, socketOf, WAITS } from "./support/other-processes.js";

t.test("with two machines one must be named, and the choice is told", async (t) => {
  const { env } = ownTemporaryFolder(t);
  await beside(env, async (first) => {
    await beside(env, async (second) => {
      const command = `(capos-smp run --cores 2 --memory 64 ${WAITS})`;
      const both = [first, second]
        .sort((a, b) => a - b)
        .map((pid) => `${pid} ${command}`)
        .join(", ");
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
      t.equal(
        wrong.stderr,
        `capos-smp: process ${process.pid} runs no machine; machines run in processes ${both}\n`,
      );
    });
  });
});

t.test("inspect --list shows the machines that run, with what their processes were started as", async (t) => {
  const { env } = ownTemporaryFolder(t);
  const none = await caposSmp(["inspect", "--list"], { env });
  t.match(none, { status: 0, stdout: "no machine is running\n" });
  const args = ["--cores", "3", WAITS, "an argument", "\u202egnp.exe"];
  await beside(
    env,
    async (pid) => {
      const list = await caposSmp(["inspect", "--list"], { env });
      t.equal(list.status, 0, list.stderr);
      const line = new RegExp(
        `^ *${pid} +3 +64 MiB .* capos-smp run .*waits\\.ts an argument \\\\u202egnp\\.exe$`,
        "m",
      );
      t.match(list.stdout, line);
      const json = await caposSmp(["inspect", "--list", "--json"], { env });
      t.match(JSON.parse(json.stdout), [{ name: String(pid), label: { cores: 3, memoryMiB: 64 } }]);
      const both = await caposSmp(["inspect", "--list", String(pid)], { env });
      t.match(both, { status: 2, stderr: "capos-smp: --list shows all machines: name none\n" });
    },
    args,
  );
});

t.test("a client that says nothing, or nonsense, holds up neither the machine nor others", async (t) => {
  const { env, folder } = ownTemporaryFolder(t);
  const run = await beside(env, async (pid) => {
    const silent = connect(socketOf(folder, pid));
    silent.on("error", () => {});
    await new Promise((resolve) => silent.once("connect", resolve));
    const wrong = connect(socketOf(folder, pid));
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
  writeFileSync(join(folder, `${process.pid}-0123456789ab`), "");
  const stranger = await caposSmp(["inspect"], { env });
  t.equal(stranger.status, 2);
  t.match(stranger.stderr, /^capos-smp: no machine is running: /);
  t.same(readdirSync(folder), []);
});

t.test("whoever answers with something else than a state is no machine that can be shown", async (t) => {
  const { env, folder } = ownTemporaryFolder(t);
  mkdirSync(folder, { mode: 0o700 });
  for (const [answer, expected] of [
    ["", /ended before it answered/],
    ['{"state":{"mach', /ended before it answered/],
    ['{"error":"out of order"}', /cannot say: out of order/],
  ] as const) {
    const server = createServer((socket) =>
      socket
        .on("error", () => {})
        .resume()
        .end(answer),
    );
    const socket = join(folder, `${process.pid}-0123456789ab`);
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    const asked = await caposSmp(["inspect"], { env });
    await new Promise((resolve) => server.close(resolve));
    t.equal(asked.status, 1);
    t.match(asked.stderr, expected);
    t.equal(asked.stderr.trim().split("\n").length, 1);
  }
});

t.test("the command explains itself", async (t) => {
  const run = await caposSmp(["inspect", "--help"]);
  t.equal(run.status, 0);
  t.match(run.stdout, /--only <sections> +some of\s+cores,processes,threads,cspaces,tree,queues,memory/);
});

t.test("wrong arguments are one line that says what is possible, and status 2", async (t) => {
  const { env } = ownTemporaryFolder(t);
  const cases: [string[], RegExp][] = [
    [["inspect"], /no machine is running: start one with capos-smp run, up, bench or stress/],
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
