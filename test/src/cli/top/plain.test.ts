/** `top` for scripts: one table, documents, and what it says of a wrong command line. */
import t from "tap";
import { caposSmp, type Finished } from "../../support/cli-process.js";

const GUEST = ["run", "--cores", "2", "test/fixtures/cli/loops.ts"];

/** One table with the guest in it, which has printed: on a busy host that takes it long, and a look has to take longer. */
async function once(): Promise<Finished> {
  for (const interval of ["0.3", "3", "30"]) {
    const run = await caposSmp(["top", "--once", "--interval", interval, "--sort", "name", "--", ...GUEST]);
    if (/loops\.ts +1 /.test(run.stdout) && run.stderr.includes("looping")) return run;
  }
  throw new Error("the guest never came");
}

t.test("top --once prints one table and ends, with the command's own output beside it", async (t) => {
  const run = await once();
  t.equal(run.status, 0, run.stderr);
  t.equal(run.stderr, "looping\n");
  t.match(
    run.stdout,
    /^run --cores 2 test\/fixtures\/cli\/loops\.ts, machine 1: 2 cores, 256 MiB; \d+ looks in \d+\.\d s\n/,
  );
  t.match(run.stdout, /^ +6 +6 loops\.ts +1 +100 +\S+% +\S+ +(ready|running)$/m);
  t.match(run.stdout, /process\*/);
  t.equal(run.stdout.split("thread  process").length, 2, "one table of threads");
});

interface Shown {
  readonly threads: readonly { readonly processName: string; readonly cpu: number }[];
  readonly cores: readonly { readonly traps: number }[];
}

const isGuest = ({ processName }: Shown["threads"][number]) => processName === "loops.ts";

/** Whether the guest was seen running, and entering the kernel. */
function ranIn({ threads, cores }: Shown): boolean {
  return (threads.find(isGuest)?.cpu ?? 0) > 0 && cores[1]!.traps > 0;
}

t.test("top --json prints a document a line, whose shares add up", async (t) => {
  const run = await caposSmp(["top", "--json", "--interval", "0.2", "--", ...GUEST], {
    onOutput(text, kill) {
      // On a busy host the guest is long in coming, and does not run in every interval.
      const lines = text.split("\n").slice(0, -1);
      if (lines.length >= 3 && lines.some((line) => ranIn(JSON.parse(line)))) kill("SIGINT");
    },
  });
  t.equal(run.status, 130);
  const documents = run.stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  t.ok(documents.length >= 3);
  for (const { command, machine, looks, seconds, cores } of documents) {
    t.same(command, GUEST);
    t.equal(machine, 1);
    t.ok(looks > 0 && seconds > 0);
    t.equal(cores.length, 2);
    for (const { busy, kernel, polling, halted, state } of cores) {
      t.ok(kernel <= busy);
      if (state === "online") t.ok(busy + polling + halted <= 1 + 1e-9);
    }
  }
  const { threads } = documents.findLast(ranIn);
  t.match(threads.find(isGuest), { core: 1, priority: 100, index: 0 });
  // Not in the interval in which a program begins.
  const resting = documents
    .flatMap((document) => document.threads)
    .find(({ processName, state, calls }) => processName === "names" && state === "queued" && calls === 0);
  t.match(resting, { waits: { for: "message", as: "receiver" } });
});

t.test("a command that ends before its machine could be seen is told so", async (t) => {
  const run = await caposSmp(["top", "--once", "--", "bench", "--list", "--cores", "2"]);
  t.equal(run.status, 1);
  t.match(run.stderr, /capos-smp: top: bench --list --cores 2 ended before its machine could be seen\n$/);
});

t.test("what top cannot do is one line that says what to do, and status 2", async (t) => {
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [["top"], /needs a command to run \(bench, run, up, stress\)/],
    [["top", "--", "check"], /check cannot be run, only bench, run, up, stress can/],
    [["top", "--", "bench", "no-such-suite"], /there is no no-such-suite/],
    [["top", "--interval", "0", "--", "bench"], /from 0\.1 to 3600/],
    [["--cores", "2", "top", "--", "bench"], /an option stands before top/],
  ];
  for (const [args, expected] of wrong) {
    const run = await caposSmp(args);
    t.equal(run.status, 2, args.join(" "));
    t.match(run.stderr, expected);
    t.equal(run.stderr.trimEnd().split("\n").length, 1, `one line: ${run.stderr}`);
    t.equal(run.stdout, "");
  }
});
