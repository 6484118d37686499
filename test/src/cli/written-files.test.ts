/** Every command that writes a file, where that cannot be written: one line, status 2, and what was there stays. */
import { execFileSync } from "node:child_process";
import { chmodSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import t, { type Test } from "tap";
import { documentOf, rowOfTrials, trials } from "../bench/support/document.js";
import { caposSmp, ROOT } from "../support/cli-process.js";

t.setTimeout(600_000);

const guest = (name: string): string => join(ROOT, "test/fixtures/cli", `${name}.ts`);
const OLD = "what was there\n";
/** Enough rows for a file of some hundred KiB. */
const LARGE = JSON.stringify(
  documentOf(Array.from({ length: 300 }, (_, i) => rowOfTrials("ipc", `row.${i}`, trials(50, i)))),
);

/** Commands that write a file, whose name comes last. */
const WRITERS: Readonly<Record<string, { readonly args: readonly string[]; readonly force?: boolean }>> = {
  "bench --save": {
    args: [
      "bench",
      "atomics-load",
      "--quiet",
      "--cores",
      "1",
      "--repeat",
      "4",
      "--seconds",
      "0.001",
      "--save",
    ],
    force: true,
  },
  report: { args: ["report", "--from", "run.json", "--out"], force: true },
  "trace --out": {
    args: ["trace", ...["--out"]],
    force: true,
  },
  "check --save": {
    args: ["check", "--mutant", "no-sleep-recheck", "--workers", "1", "--save"],
    force: true,
  },
  "check --resume": {
    args: ["check", "slot-publish", "use-vs-revoke", "--schedules", "50", "--workers", "1", "--resume"],
  },
};

/** The words of a command that writes a file. */
function command(name: string, file: string): string[] {
  const { args, force } = WRITERS[name]!;
  const inner = name.startsWith("trace")
    ? ["--", "run", "--no-check", "--cores", "2", guest("exchange")]
    : [];
  return [...args, file, ...(force === true ? ["--force"] : []), ...inner];
}

/** A command fails as a mistake of its user's does. */
async function refuses(
  t: Test,
  name: string,
  { file, reason, cwd, before }: { file: string; reason: RegExp; cwd: string; before: string },
): Promise<void> {
  const run = await caposSmp(command(name, file), { cwd, before });
  t.equal(run.status, 2, `${name}: ${run.stderr}`);
  const lines = run.stderr.trimEnd().split("\n");
  t.match(lines.filter((line) => line.startsWith("capos-smp: ")).join("\n"), reason, name);
  t.notMatch(run.stderr, /^ +at |node:/m, "no stack");
}

/** Runs all writers, without what tap has its children write, with a limit or in a place of a shell's making; nothing may be left but what was there. */
async function allRefuse(t: Test, before: string, reason: string, place: (folder: string) => string) {
  for (const name of Object.keys(WRITERS)) {
    // A resume file is read before it is written: what is there must be one.
    const there = name === "check --resume" ? {} : { mine: OLD };
    const folder = t.testdir({ "run.json": LARGE, place: there });
    const file = join(place(join(folder, "place")), "mine");
    await refuses(t, name, {
      ...{ file, cwd: folder, before: before.replaceAll("PLACE", join(folder, "place")) },
      reason: new RegExp(`^capos-smp: ${file} cannot be written: ${reason}$`),
    });
    t.same(readdirSync(join(folder, "place")), Object.keys(there), `${name} leaves nothing behind`);
    if ("mine" in there) t.equal(readFileSync(join(folder, "place/mine"), "utf8"), OLD, name);
  }
}

/** Whether a shell can do this here. */
function canDo(line: string): boolean {
  try {
    execFileSync("bash", ["-c", line], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

t.test("a limit of a file's size is one line, and the old file stays", { skip: !canDo("ulimit -f 0") }, (t) =>
  allRefuse(
    t,
    "unset NODE_OPTIONS; ulimit -f 0",
    "a file may not become that large here \\(ulimit -f\\)",
    (folder) => folder,
  ),
);

/** What a shell runs as the root of a namespace of its own, where that is to be had. */
const APART = "unshare --user --map-root-user --mount bash -c";
const MOUNT = "mount -t tmpfs -o size=64k,nr_inodes=64 capos";

t.test(
  "a full disk is one line, and the old file stays",
  { skip: !canDo(`${APART} '${MOUNT} /mnt'`) && "no file system can be mounted here" },
  async (t) => {
    for (const name of Object.keys(WRITERS)) {
      const folder = t.testdir({ "run.json": LARGE, place: {} });
      const place = join(folder, "place");
      const there = name === "check --resume" ? "" : `printf '%s' '${OLD}' > ${place}/mine;`;
      // The disk is seen by this command alone: what is on it afterwards is told by the shell.
      const look = `"$@"; status=$?; rm ${place}/ballast; ls -A ${place} >&2; cat ${place}/mine >&2; exit $status`;
      const script = `${MOUNT} ${place}; ${there} cat /dev/zero > ${place}/ballast; ${look}`;
      const run = await caposSmp(command(name, join(place, "mine")), {
        cwd: folder,
        before: `set -- ${APART} '${script.replaceAll("'", "'\\''")}' bash "$@"`,
      });
      t.equal(run.status, 2, `${name}: ${run.stderr}`);
      t.match(run.stderr, /^capos-smp: [^\n]*mine cannot be written: no space is left$/m, name);
      t.notMatch(run.stderr, /^ +at |node:/m, "no stack");
      if (there !== "") t.ok(run.stderr.endsWith(`\nmine\n${OLD}`), run.stderr);
    }
  },
);

const AS_ANOTHER = "setpriv --reuid=4242 --regid=4242 --clear-groups";
const becomeUser =
  process.getuid?.() !== 0 ? "" : canDo(`${AS_ANOTHER} ${process.execPath} -v`) ? AS_ANOTHER : null;

t.test(
  "a folder that takes no files is one line, and the old file stays",
  { skip: becomeUser === null && "root may write everywhere, and cannot become another user here" },
  (t) =>
    allRefuse(t, `unset NODE_OPTIONS; set -- ${becomeUser} "$@"`, "no permission", (folder) => {
      chmodSync(folder, 0o555);
      return folder;
    }),
);
