/** The command line's streams: who reads them may go, a disk may be full, a terminal may want no colours. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { wantsColor } from "@capos/machine/color";
import t from "tap";
import { documentOf, rowOfTrials, trials } from "../bench/support/document.js";
import { BIN, type Finished, ROOT } from "../support/cli-process.js";

const GUESTS = "test/fixtures/cli";
const ESCAPE = "\u001b";

/** Runs a line of bash, in which $C is the command line; each must end by itself. */
function bash(line: string, env: Readonly<Record<string, string>> = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn("bash", ["-c", line], {
      cwd: ROOT,
      env: { ...process.env, C: `${process.execPath} ${BIN}`, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (bytes) => {
      stdout += bytes;
    });
    child.stderr.on("data", (bytes) => {
      stderr += bytes;
    });
    child.on("error", reject);
    child.on("close", (status, signal) => resolve({ status, signal, stdout, stderr }));
  });
}

const QUIET = "--cores 2 --memory 64 --quiet";

/** Commands, and the status that each has where somebody reads what it prints. */
const COMMANDS: readonly [string, number][] = [
  ["--help", 0],
  ["--version", 0],
  ["bench --list", 0],
  ["stress --list", 0],
  ["trace --list", 0],
  ["check --list", 0],
  [`bench null ${QUIET}`, 2],
  [`bench baseline --seconds 0.001 ${QUIET}`, 0],
  [`stress slot-reuse --seconds 0.1 ${QUIET}`, 0],
  ["check signal-vs-wait --seconds 5 --quiet", 0],
  [`run ${QUIET} ${GUESTS}/prints.ts 5000 7`, 7],
  [`run ${QUIET} ${GUESTS}/throws.ts`, 1],
  [`run ${QUIET} --json ${GUESTS}/prints.ts 5000 7`, 7],
  [`run ${QUIET} --debug --trace-ring 0 ${GUESTS}/panics.ts`, 70],
  [`run ${QUIET} ${GUESTS}/missing.ts`, 2],
];

for (const [command, status] of COMMANDS) {
  t.test(`whoever reads ${command} may go, and nothing is said of it`, async (t) => {
    const gone = await bash(`$C ${command} | true; echo "\${PIPESTATUS[0]}"`);
    t.same(gone.stdout, `${status}\n`);
    t.notMatch(gone.stderr, /EPIPE|node:events|Unhandled/);
    const both = await bash(`$C ${command} 2>&1 | true; exit "\${PIPESTATUS[0]}"`);
    t.equal(both.status, status, "standard error too");
  });
}

t.test(
  "a disk that is full is one line and a status of its own",
  { skip: process.platform !== "linux" },
  async (t) => {
    for (const command of ["--help", "bench --list", "check --list", `run ${QUIET} ${GUESTS}/prints.ts 3`]) {
      const { status, stderr } = await bash(`$C ${command} > /dev/full`);
      t.equal(status, 1, command);
      t.equal(stderr, "capos-smp: standard output cannot be written: no space left on device\n", command);
    }
    t.equal((await bash(`$C run ${QUIET} ${GUESTS}/prints.ts 3 2> /dev/full`)).status, 0);
  },
);

t.test("outputs that are closed from the start are no trouble", async (t) => {
  const { status, stderr } = await bash(`$C run ${QUIET} ${GUESTS}/prints.ts 3 7 >&-`);
  t.same({ status, stderr }, { status: 7, stderr: "" });
  t.equal((await bash(`$C run ${QUIET} ${GUESTS}/prints.ts 3 7 >&- 2>&-`)).status, 7);
});

t.test("a guest that prints for ever ends when nobody reads", async (t) => {
  const { stdout } = await bash(
    `$C run ${QUIET} ${GUESTS}/prints.ts Infinity | head -1; echo "\${PIPESTATUS[0]}"`,
  );
  t.equal(stdout, "line 0\n141\n");
});

t.test(
  "a guest that reads nothing leaves standard input to others, one that reads takes what it reads",
  async (t) => {
    const file = join(t.testdir({ input: "own\nother\n" }), "input");
    const loop = (guest: string) =>
      `printf '%s\\n' one two three | while read -r line; do $C run ${QUIET} ${GUESTS}/${guest} > /dev/null; echo "$line"; done`;
    t.equal((await bash(loop("prints.ts 1"))).stdout, "one\ntwo\nthree\n");
    t.equal((await bash(loop("reads.ts 1"))).stdout, "one\n");
    t.equal((await bash(`$C run ${QUIET} ${GUESTS}/reads.ts 2 < ${file}`)).stdout, "read own\nread other\n");
    t.equal((await bash(`$C run ${QUIET} ${GUESTS}/reads.ts 1 <&-`)).stdout, "read null\n");
    t.match(await bash(`$C run ${QUIET} ${GUESTS}/reads.ts 1 < /`), {
      status: 1,
      stderr: /^capos-smp: standard input cannot be read: [^\n]+\n$/,
    });
  },
);

t.test("colours are as the environment says, on a terminal and elsewhere", (t) => {
  const table: [Record<string, string>, boolean, boolean][] = [
    [{}, true, false],
    [{ TERM: "xterm" }, true, false],
    [{ TERM: "dumb" }, false, false],
    [{ NO_COLOR: "1" }, false, false],
    [{ NO_COLOR: "" }, true, false],
    ...["0", "false", "no"].map((value): [Record<string, string>, boolean, boolean] => [
      { FORCE_COLOR: value },
      false,
      false,
    ]),
    ...["", "1", "2", "3", "true"].map((value): [Record<string, string>, boolean, boolean] => [
      { FORCE_COLOR: value, NO_COLOR: "1", TERM: "dumb" },
      true,
      true,
    ]),
  ];
  for (const [env, onTerminal, elsewhere] of table) {
    t.equal(wantsColor(true, env), onTerminal, `${JSON.stringify(env)} on a terminal`);
    t.equal(wantsColor(false, env), elsewhere, `${JSON.stringify(env)} elsewhere`);
  }
  t.end();
});

t.test("tables have colours where they are wanted, and nowhere else", async (t) => {
  const saved = t.testdir({
    "run.json": JSON.stringify(documentOf([rowOfTrials("ipc", "yield", trials(50, 0))])),
  });
  const commands = [`bench --from ${join(saved, "run.json")}`, `stress slot-reuse --seconds 0.1 ${QUIET}`];
  for (const command of commands) {
    t.ok((await bash(`$C ${command}`, { FORCE_COLOR: "1" })).stdout.includes(ESCAPE), command);
    t.notOk((await bash(`$C ${command}`, { FORCE_COLOR: "0" })).stdout.includes(ESCAPE), command);
    t.notOk((await bash(`$C ${command}`)).stdout.includes(ESCAPE), command);
  }
});
