/** The example guests do what docs/guests.md says that they print, and it shows them as they are. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { caposSmp, ROOT } from "../support/cli-process.js";
import { blocksOf, commandsOf } from "../support/document.js";

t.setTimeout(600_000);

const PAGE = "docs/guests.md";
const FOLDER = "docs/examples/guests";

const blocks = blocksOf(PAGE);

t.test("the page shows each example as it is, and no other", async (t) => {
  const shown = blocks.flatMap(({ file }) => file ?? []);
  t.same(
    [...shown].sort(),
    readdirSync(join(ROOT, FOLDER)).map((name) => `examples/guests/${name}`),
  );
  for (const { file, text } of blocks)
    if (file !== null) t.equal(text, readFileSync(join(ROOT, "docs", file), "utf8"), file);
});

const sessions = blocks
  .filter(({ language }) => language === "console")
  .flatMap(({ text }) => commandsOf(text));

t.test("each example is run on the page", async (t) => {
  for (const name of readdirSync(join(ROOT, FOLDER)))
    t.ok(
      sessions.some(({ line }) => line.includes(`${FOLDER}/${name}`)),
      name,
    );
});

for (const { line, output } of sessions)
  t.test(`what the page says that "${line}" prints is what it prints`, async (t) => {
    const [command, ...args] = line.split(" ");
    t.equal(command, "capos-smp");
    const run = await caposSmp(args);
    t.equal(run.stdout, output);
    t.equal(run.status, 0, run.stderr);
  });
