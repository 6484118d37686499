/** Where a machine can be found from, and by what: folders that are odd, and numbers that are no identities. */
import { mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { caposSmp } from "../support/cli-process.js";
import { beside, ownTemporaryFolder, socketOf } from "./support/other-processes.js";

t.test("a machine whose number is no process's here, or another one's, is found and stays", async (t) => {
  const { env, folder } = ownTemporaryFolder(t);
  await beside(env, async (pid) => {
    await beside(env, async (other) => {
      // As seen from another container that shares the folder: numbers mean nothing, or mean others.
      const random = (of: number) => socketOf(folder, of).slice(-12);
      renameSync(socketOf(folder, pid), join(folder, `4194303-${random(pid)}`));
      const far = await caposSmp(["inspect", "4194303", "--only", "cores"], { env });
      t.equal(far.status, 0, far.stderr);
      const same = `${other}-${random(other)}`;
      const moved = `${other}-000000000000`;
      renameSync(socketOf(folder, 4194303), join(folder, moved));
      const twice = await caposSmp(["inspect", String(other)], { env });
      t.equal(twice.status, 2);
      const named = [moved, same].sort().map((name) => `${name} \\(.*\\)`);
      t.match(
        twice.stderr,
        new RegExp(`which machine\\? machines run in processes ${named.join(", ")}: say one`),
      );
      t.equal((await caposSmp(["inspect", moved, "--only", "cores"], { env })).status, 0);
      t.equal((await caposSmp(["inspect", same, "--only", "cores"], { env })).status, 0);
    });
  });
});

t.test("a machine is found however long the path of its folder is", async (t) => {
  const { env, folder } = ownTemporaryFolder(t);
  const long = join(folder, "..", "x".repeat(90), "y".repeat(200));
  mkdirSync(long, { recursive: true });
  await beside({ ...env, TMPDIR: long }, async (pid) => {
    for (const args of [[], [String(pid)]]) {
      const found = await caposSmp(["inspect", "--only", "cores", ...args], { env: { TMPDIR: long } });
      t.equal(found.status, 0, found.stderr);
    }
    const two = await beside({ TMPDIR: long }, async () => {});
    t.equal(two.status, 130);
    t.equal((await caposSmp(["inspect", "--only", "cores"], { env: { TMPDIR: long } })).status, 0);
  });
});
