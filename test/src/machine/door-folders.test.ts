/** What a machine does where the folder for temporary files is none. */
import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { caposSmp } from "../support/cli-process.js";
import { beside, ownTemporaryFolder } from "./support/other-processes.js";

t.test(
  "without a folder for temporary files a machine runs all the same, and inspect says why not",
  async (t) => {
    const { folder } = ownTemporaryFolder(t);
    const base = join(folder, "..");
    writeFileSync(join(base, "file"), "");
    symlinkSync("loop", join(base, "loop"));
    const folders = [join(base, "missing"), join(base, "file"), join(base, "loop"), "/proc", "z".repeat(300)];
    for (const TMPDIR of ["/proc", join(base, "file")]) {
      const run = await beside({ TMPDIR }, async () => {});
      t.equal(run.status, 130, TMPDIR);
    }
    for (const TMPDIR of folders) {
      const asked = await caposSmp(["inspect"], { env: { TMPDIR } });
      t.equal(asked.status, 2, TMPDIR);
      if (TMPDIR === "/proc") t.match(asked.stderr, /^capos-smp: no machine is running: /);
      else
        t.match(
          asked.stderr,
          /^capos-smp: .*, the folder for temporary files, cannot be used: E[A-Z]+; set TMPDIR/,
        );
      t.equal(asked.stderr.trim().split("\n").length, 1, asked.stderr);
    }
  },
);
