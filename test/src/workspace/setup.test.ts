/** Setting a clone up: once, by one at a time, whatever is left of those before, and wherever it lies. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, cpSync, existsSync, readdirSync, renameSync, utimesSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import t, { type Test } from "tap";
import { FakeClone } from "./support/fake-clone.js";

t.setTimeout(300_000);

const cloneOf = (t: Test, ...way: string[]): FakeClone => new FakeClone(join(t.testdir(), ...way)).make();

/** What a setup leaves of its own: nothing but what it made. */
function assertNoLock(t: Test, { folder }: FakeClone): void {
  t.same(
    readdirSync(folder).filter((name) => name.startsWith(".capos-lock")),
    [],
    "no lock is left",
  );
}

t.test("a clone is set up once, and again only when a source changes", async (t) => {
  const clone = cloneOf(t);
  t.match(await clone.start().ended, { status: 0, stderr: /installing.*\n.*compiling/s });
  t.equal(clone.log, "install compile ");
  assertNoLock(t, clone);
  t.same(await clone.start().ended, { status: 0, signal: null, stderr: "" });
  writeFileSync(join(clone.folder, "packages/one/src/index.ts"), "export const one = 1;");
  t.equal((await clone.start().ended).status, 0);
  t.equal(clone.log, "install compile compile ");
  const touched = join(clone.folder, "packages/one/src/index.ts");
  utimesSync(touched, 1, 1);
  t.same(await clone.start().ended, { status: 0, signal: null, stderr: "" }, "a new time is no change");
});

t.test("a lock that nobody holds any more locks nothing", async (t) => {
  /** What may lie at the lock's place, by who puts it there. */
  const leftOvers: Readonly<Record<string, (lock: string) => Promise<void> | void>> = {
    "an empty file": (lock) => writeFileSync(lock, ""),
    "a file with a process's number": (lock) => writeFileSync(lock, String(process.pid)),
    "a file with the number 1": (lock) => writeFileSync(lock, "1\n"),
    "the socket of a process that was killed": async (lock) => {
      // By a short name: a socket's whole path may be too long.
      const code = `require("node:net").createServer().listen("${basename(lock)}", () => console.log("listens"))`;
      const stdio = ["ignore", "pipe", "inherit"] as const;
      const holder = spawn(process.execPath, ["-e", code], { cwd: dirname(lock), stdio: [...stdio] });
      await once(holder.stdout!, "data");
      holder.kill("SIGKILL");
      await once(holder, "exit");
      if (!existsSync(lock)) throw new Error("the socket went with its process");
    },
  };
  for (const [what, leave] of Object.entries(leftOvers)) {
    const clone = cloneOf(t, what.replaceAll(" ", "-").replaceAll("'", ""));
    await leave(clone.lock);
    const run = await clone.start().ended;
    t.equal(run.status, 0, `${what}: ${run.stderr}`);
    t.equal(clone.log, "install compile ", what);
    assertNoLock(t, clone);
  }
});

t.test("of two at once one does the work, and the other waits for it", async (t) => {
  const clone = cloneOf(t);
  const release = clone.hold();
  const first = clone.start();
  await clone.began();
  const others = [clone.start(), clone.start()];
  for (const other of others) await other.says(/waiting for another process that sets up this clone/);
  release();
  for (const { ended } of [first, ...others]) t.equal((await ended).status, 0);
  t.equal(clone.log, "install compile ");
  assertNoLock(t, clone);
});

t.test("whoever waits goes on when the one that works is killed", async (t) => {
  const clone = cloneOf(t);
  const release = clone.hold();
  const first = clone.start();
  await clone.began();
  const second = clone.start();
  await second.says(/waiting for another process/);
  first.child.kill("SIGKILL");
  t.equal((await first.ended.finally(release)).signal, "SIGKILL");
  t.equal((await second.ended).status, 0);
  t.equal(clone.log, "install install compile ");
  assertNoLock(t, clone);
});

t.test("Ctrl-C ends a setup with status 130 and no lock", async (t) => {
  const clone = cloneOf(t);
  const release = clone.hold();
  const run = clone.start();
  await clone.began();
  run.child.kill("SIGINT");
  await once(run.child, "exit");
  release();
  t.equal((await run.ended).status, 130);
  assertNoLock(t, clone);
  t.equal((await clone.start().ended).status, 0, "and the next one begins anew");
});

t.test("a clone that was copied or moved is not built again", async (t) => {
  const clone = cloneOf(t, "first");
  t.equal((await clone.start().ended).status, 0);
  const copy = new FakeClone(join(t.testdirName, "a copy, elsewhere"));
  // With new times, as most copies have.
  cpSync(clone.folder, copy.folder, { recursive: true });
  t.same(await copy.start().ended, { status: 0, signal: null, stderr: "" });
  const moved = new FakeClone(join(t.testdirName, "moved"));
  renameSync(clone.folder, moved.folder);
  t.same(await moved.start().ended, { status: 0, signal: null, stderr: "" });
  for (const { log } of [copy, moved]) t.equal(log, "install compile ");
});

t.test(
  "a path that is longer than a socket's may be is no obstacle",
  { skip: process.platform !== "linux" },
  async (t) => {
    const clone = cloneOf(t, "a".repeat(120));
    const release = clone.hold();
    const first = clone.start();
    await clone.began();
    const second = clone.start();
    await second.says(/waiting for another process/);
    release();
    for (const { ended } of [first, second]) t.equal((await ended).status, 0);
    t.equal(clone.log, "install compile ");
    assertNoLock(t, clone);
  },
);

const AS_ANOTHER = ["setpriv", "--reuid=4242", "--regid=4242", "--clear-groups"];
/** Root may write everywhere. */
function commandOfAUser(): readonly string[] | null {
  if (process.getuid?.() !== 0) return [];
  try {
    execFileSync(AS_ANOTHER[0]!, [...AS_ANOTHER.slice(1), process.execPath, "--version"], {
      stdio: "ignore",
    });
    return AS_ANOTHER;
  } catch {
    return null;
  }
}
const asUser = commandOfAUser();

t.test(
  "a clone that takes no files runs when it is built, and says one line when it is not",
  { skip: asUser === null && "root may write everywhere, and cannot become another user here" },
  async (t) => {
    const built = cloneOf(t, "built");
    t.equal((await built.start().ended).status, 0);
    // Its stamp is of other times, as in an image or a checkout that was unpacked.
    utimesSync(join(built.folder, "packages/one/src/index.ts"), 1, 1);
    const fresh = new FakeClone(join(t.testdirName, "fresh")).make();
    for (const { folder } of [built, fresh]) chmodSync(folder, 0o555);
    t.same(await built.start(asUser!).ended, { status: 0, signal: null, stderr: "" });
    const refused = await fresh.start(asUser!).ended;
    t.equal(refused.status, 1);
    t.match(
      refused.stderr,
      /^capos: .* is to be set up, and cannot be written to .*: run npm run build [^\n]*\n$/,
    );
    t.equal(fresh.log, "");
  },
);
