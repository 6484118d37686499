/** What the host gives too little of is said in one line, and takes no application along. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import t from "tap";
import { BIN, caposSmp, node, ROOT } from "../support/cli-process.js";

const HELLO = join(ROOT, "test/fixtures/cli/greet.ts");

/** Whether a command does its work here. */
function works(file: string, args: readonly string[]): boolean {
  try {
    execFileSync(file, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const ON_LINUX = process.platform === "linux" || "limits are set by a Linux shell";
/**
 * A limit of threads does not bind root, and counts all threads of a user: nobody else's run may be this one's.
 * Node itself can wait for ever where even its own threads are too many.
 */
const NOBODY = 1_000_000 + process.pid;
const AS_NOBODY = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"];
const CAN_BE_NOBODY =
  works("setpriv", [...AS_NOBODY, process.execPath, BIN, "--version"]) || "only root can be such a user";

t.test(
  "a machine that gets no thread, open file or address space is one line and status 2",
  { skip: ON_LINUX !== true && ON_LINUX },
  async (t) => {
    const cases: [string, string, string, RegExp][] = [
      [
        "ulimit -n 64",
        "16",
        "64",
        // As many as tap has open for its children are missing, so either of the two may meet it.
        /cannot start: .*EMFILE; start it with fewer cores, or raise the host's limits|too many files are open for the image builder: raise the limit \(ulimit -n\)/,
      ],
      [
        "ulimit -n 160",
        "64",
        "64",
        /cannot start: .*EMFILE; start it with fewer cores, or raise the host's limits/,
      ],
      [
        "ulimit -v 5000000",
        "2",
        "4096",
        /no room for 4096 MiB of memory: give the machine less, or raise the limit \(ulimit -v\)/,
      ],
      [
        "ulimit -v 12500000",
        "64",
        "64",
        /of address space, and \d+ are needed: give the machine fewer cores or less memory, or raise/,
      ],
    ];
    for (const [before, cores, memory, expected] of cases) {
      const run = await caposSmp(["run", "--cores", cores, "--memory", memory, HELLO], { before });
      t.equal(run.status, 2, `${before}: ${run.stderr}`);
      t.match(run.stderr, expected, before);
      t.equal(run.stderr.trimEnd().split("\n").length, 1, run.stderr);
    }
  },
);

t.test(
  "a machine that gets too few threads is one line and status 2",
  { skip: CAN_BE_NOBODY !== true && CAN_BE_NOBODY },
  async (t) => {
    // How many threads Node has by itself depends on its version; somewhere from here on one is missing.
    for (let missing = 0, most = 20; missing < 2 && most < 30; most += 2) {
      const run = await caposSmp(["run", "--cores", "16", "--memory", "64", HELLO], {
        // What tap puts into a child writes where this user may not.
        before: `unset NODE_OPTIONS; ulimit -u ${most}; set -- setpriv ${AS_NOBODY.join(" ")} "$@"`,
        env: { HOME: "/nonexistent" },
      });
      if (!/cannot start/.test(run.stderr)) continue;
      missing++;
      t.equal(run.status, 2, run.stderr);
      t.match(
        run.stderr,
        /^capos-smp: .* cannot start: .*; start it with fewer cores, or raise the host's limits/,
      );
      t.equal(run.stderr.trimEnd().split("\n").length, 1, run.stderr);
    }
  },
);

t.test(
  "a compiler that gets too few threads ends in a line, not in its own stack",
  { skip: CAN_BE_NOBODY !== true && CAN_BE_NOBODY },
  async (t) => {
    for (let most = 24; most >= 12; most -= 4) {
      const run = await caposSmp(["run", "--cores", "2", "--memory", "64", HELLO], {
        before: `unset NODE_OPTIONS; ulimit -u ${most}; set -- setpriv ${AS_NOBODY.join(" ")} "$@"`,
        env: { HOME: "/nonexistent" },
      });
      if (run.status === 7) continue;
      t.match(run.stderr, /^(capos-smp: [^\n]*\n){0,2}$/, `${most}: lines`);
    }
  },
);

t.test(
  "an image builder that gets too few threads is one line and status 2",
  { skip: CAN_BE_NOBODY !== true && CAN_BE_NOBODY },
  async (t) => {
    let isMet = false;
    // From above: with fewer than it has by itself Node aborts, or never ends.
    for (let most = 24; !isMet && most >= 12; most -= 2) {
      const run = await caposSmp(["run", "--no-check", "--cores", "2", "--memory", "64", HELLO], {
        before: `unset NODE_OPTIONS; ulimit -u ${most}; set -- setpriv ${AS_NOBODY.join(" ")} "$@"`,
        env: { HOME: "/nonexistent" },
      });
      if (run.status === 7) continue;
      t.equal(run.status, 2, `${most}: ${run.stderr}`);
      t.match(run.stderr, /^capos-smp: .*\(ulimit -u\)[^\n]*\n$/, "one line");
      isMet = /the host gives the image builder no more threads or processes/.test(run.stderr);
    }
    t.ok(isMet);
  },
);

t.test(
  "an application whose host has too few open files gets a MachineError and goes on",
  { skip: ON_LINUX !== true && ON_LINUX },
  async (t) => {
    const file = join(t.testdir({}), "application.mjs");
    const machine = JSON.stringify(join(ROOT, "packages/machine/dist/index.js"));
    writeFileSync(
      file,
      `
    import { boot } from ${machine};
    for (const cores of [64, 2]) {
      try {
        const machine = await boot({ cores, memoryMiB: 64, logLevel: "silent" });
        console.log("booted");
        await machine.halt();
      } catch (error) {
        console.log(error.name, error.status, error.message);
      }
    }
  `,
    );
    const run = await node([file], { before: "ulimit -n 160" });
    t.equal(run.status, 0, run.stderr);
    t.match(run.stdout, /^MachineError 2 .* cannot start: .*EMFILE.*\nbooted\n$/);
    t.equal(run.stderr, "");
  },
);
