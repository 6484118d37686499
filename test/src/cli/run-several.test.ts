/** `capos-smp run` with several programs: on one machine, told apart, until all that has an end has ended. */
import { join } from "node:path";
import t from "tap";
import { caposSmp } from "../support/cli-process.js";

const example = (name: string): string => join("docs/examples/systems", name);
const fixture = (name: string): string => join("test/fixtures/cli", name);
const COUNTER = example("counter.ts");
const VISITOR = example("visitor.ts");

t.test(
  "programs find each other by name, in whatever order they are given, and servers end last",
  async (t) => {
    for (const files of [
      [COUNTER, VISITOR],
      [VISITOR, COUNTER],
    ]) {
      const run = await caposSmp(["run", "--quiet", ...files]);
      t.same(run.stdout.trim().split("\n").map(withoutCore).sort(), [
        "counter.ts | ready",
        "visitor.ts | counted to 1",
      ]);
      t.equal(run.stderr, "");
      t.equal(run.status, 0);
    }
  },
);

t.test("the last program has the arguments, each has a name and a core of its own", async (t) => {
  const run = await caposSmp([
    "run",
    "--json",
    "--quiet",
    COUNTER,
    fixture("arguments.ts"),
    VISITOR,
    VISITOR,
    "--",
    "3",
  ]);
  t.equal(run.status, 0, run.stderr);
  const { status, programs } = JSON.parse(run.stdout);
  t.equal(status, 0);
  t.same(
    programs.map(({ name, status }: { name: string; status: number }) => [name, status]),
    [
      ["counter.ts", 0],
      ["arguments.ts", 0],
      ["visitor.ts", 0],
      ["visitor.ts#2", 0],
    ],
  );
  const lines = programs.map((program: { console: string[] }) => program.console);
  const cores = [lines[2][0], lines[3][0]].map((line: string) => / on core (\d+)$/.exec(line)![1]);
  t.not(cores[0], cores[1]);
  t.match(withoutCore(lines[2][0]), /^counted to [1-4]$/);
  t.match(withoutCore(lines[3][0]), /^counted to [34]$/);
});

t.test("behind -- a word that looks like a program's file is an argument", async (t) => {
  const run = await caposSmp(["run", "--quiet", fixture("several.ts"), "--", "prints.ts", "0"]);
  t.equal(run.stdout, "has prints.ts 0\n");
  t.equal(run.status, 0);
});

t.test("the status is the first that is not 0, and what one does ends no other", async (t) => {
  const run = await caposSmp([
    "run",
    "--quiet",
    fixture("status-three.ts"),
    COUNTER,
    fixture("several.ts"),
    "fails",
  ]);
  t.equal(run.status, 3);
  t.match(run.stdout, /^status-three\.ts \| three$/m);
  t.match(run.stderr, /^capos-smp: test\/fixtures\/cli\/several\.ts:8:\d+: Error: on purpose$/m);
});

t.test("no program can write a line in another's name", async (t) => {
  const run = await caposSmp(["run", "--quiet", COUNTER, fixture("several.ts"), "breaks-lines"]);
  t.same(run.stdout.trim().split("\n").sort(), [
    "counter.ts | ready",
    "several.ts | has breaks-lines",
    "several.ts | one",
    "several.ts | other.ts | forged",
  ]);
});

t.test(
  "programs that wait for each other for ever are told of, and go on until they are ended",
  async (t) => {
    const run = await caposSmp(["run", COUNTER, fixture("several.ts"), "waits-for", "nobody"], {
      onError(text, kill) {
        if (text.includes("several.ts waits")) kill("SIGINT");
      },
    });
    t.equal(run.status, 130);
    t.match(run.stderr, /^capos-smp: nobody is left who could wake these programs, they wait for ever/m);
    t.match(run.stderr, /^ {2}several\.ts waits for a name that nobody is left to register$/m);
  },
);

t.test("a program that cannot be run keeps the others from it", async (t) => {
  const run = await caposSmp(["run", COUNTER, "no-such.ts"]);
  t.match(run, { status: 2, stdout: "", stderr: "capos-smp: no-such.ts: there is no such file\n" });
});

function withoutCore(line: string): string {
  return line.replace(/ on core \d+$/, "");
}
