/** `capos-smp graph`: the picture of who can reach whom. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { caposSmp } from "../support/cli-process.js";

const EXAMPLE = join("docs/examples/systems", "system.yaml");

t.test("there is an arrow for each capability to call somebody, and no other", async (t) => {
  const run = await caposSmp(["graph", "--json", EXAMPLE]);
  t.equal(run.status, 0, run.stderr);
  const { nodes, edges } = JSON.parse(run.stdout);
  t.same(
    nodes.map(({ label }: { label: string }) => label),
    ["tally", "greedy", "modest", "log", "console"],
  );
  const arrows = edges.map(({ from, to }: { from: string; to: string }) => `${from} > ${to}`).sort();
  t.same(arrows, [
    "program greedy > console",
    "program greedy > log",
    "program greedy > program tally",
    "program modest > console",
    "program modest > log",
    "program modest > program tally",
    "program tally > console",
    "program tally > log",
  ]);
});

t.test(
  "the page shows every program and loads nothing, and no file is overwritten unless told",
  async (t) => {
    const out = join(t.testdir(), "graph.html");
    t.match(await caposSmp(["graph", EXAMPLE, "-o", out]), {
      status: 0,
      stdout: `wrote ${out}\n`,
      stderr: "",
    });
    const page = readFileSync(out, "utf8");
    for (const name of ["tally", "greedy", "modest"]) t.match(page, new RegExp(`>${name}</text>`));
    t.notMatch(page, /<script|<link|@import|url\((?!#head)|(?:src|href)=|https?:/);
    t.match(page, /<path d="M[\d. L-]+" marker-end/);
    writeFileSync(out, "mine");
    t.match(await caposSmp(["graph", EXAMPLE, "-o", out]), { status: 2, stderr: /--force/ });
    t.equal(readFileSync(out, "utf8"), "mine");
    t.equal((await caposSmp(["graph", EXAMPLE, "-o", out, "--force"])).status, 0);
    t.match(readFileSync(out, "utf8"), /^<!doctype html>/);
  },
);

t.test("names that would be obeyed by a page or by Graphviz are text", async (t) => {
  const folder = t.testdir({ "s.json": JSON.stringify({ programs: { a: { image: '<b>"x.ts' } } }) });
  const out = join(folder, "g.html");
  t.equal((await caposSmp(["graph", join(folder, "s.json"), "-o", out])).status, 0);
  t.notMatch(readFileSync(out, "utf8"), /<b>/);
  const { stdout } = await caposSmp(["graph", "--dot", join(folder, "s.json")]);
  t.match(stdout, /label="a\\n<b>\\"x\.ts\\n/);
});

t.test("a description that is wrong is told, and no file is left", async (t) => {
  const folder = t.testdir({ "s.yaml": "programs: {}\n" });
  const out = join(folder, "g.html");
  const run = await caposSmp(["graph", join(folder, "s.yaml"), "-o", out]);
  t.match(run, {
    status: 2,
    stdout: "",
    stderr: /s\.yaml:1:11: programs: must NOT have fewer than 1 properties/,
  });
  t.notOk(existsSync(out));
});
