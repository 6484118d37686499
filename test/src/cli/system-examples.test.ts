/** The examples of docs/systems.md and docs/shell.md do what the pages say that they print, and the pages show them as they are. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { beside, ownTemporaryFolder } from "../machine/support/other-processes.js";
import { caposSmp, ROOT } from "../support/cli-process.js";
import { blocksOf, commandsOf, readPage } from "../support/document.js";
import { TerminalProcess } from "./support/terminal-process.js";

t.setTimeout(600_000);

const PAGE = "docs/systems.md";
const EXAMPLE = "docs/examples/systems/system.yaml";

t.test("the page shows the description of a system as it is", async (t) => {
  const shown = blocksOf(PAGE).filter(({ file }) => file !== null);
  t.equal(shown.length, 1);
  for (const { file, text } of shown) t.equal(text, readFileSync(join(ROOT, "docs", file!), "utf8"), file!);
});

const sessions = blocksOf(PAGE)
  .filter(({ language }) => language === "console")
  .flatMap(({ text }) => commandsOf(text));

t.test("the page has sessions", async (t) => t.ok(sessions.length >= 3));

for (const { line, output } of sessions)
  t.test(`what the page says that "${line}" prints is what it prints`, async (t) => {
    const [command, ...args] = line.split(" ");
    t.equal(command, "capos-smp");
    const run = await caposSmp(args);
    t.equal(run.stdout, output);
    t.equal(run.status, 0, run.stderr);
  });

t.test("the event that the page shows is one that a system prints", async (t) => {
  const [event] = /\{"event":[^`]*\}/.exec(readPage(PAGE))!;
  let sent = false;
  const run = await caposSmp(["up", "--json", "--log-level", "silent", EXAMPLE], {
    onOutput(text, kill) {
      if (sent || !text.includes('"started","child":"modest"')) return;
      sent = true;
      kill("SIGINT");
    },
  });
  t.ok(run.stdout.split("\n").includes(event), run.stdout);
});

/** A pattern for what a page shows: numbers of host processes and states of threads differ, and with them the columns. */
function patternOf(shown: string): string {
  return shown
    .replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
    .replace(/(in process )\d+/g, "$1\\d+")
    .replace(/ waits/g, " (?:waits|runs)")
    .replace(/ {2,}/g, " +");
}

t.test("the session at a shell is as the page shows it", async (t) => {
  const { text } = blocksOf("docs/shell.md").find(({ language }) => language === "console")!;
  const [greeting, ...commands] = text.split(/^capos> /m);
  const [, ...said] = greeting!.split("\n");
  const { env } = ownTemporaryFolder(t);
  await beside(env, async () => {
    const it = new TerminalProcess(t, ["shell"], {
      ...{ env: { ...env, XDG_STATE_HOME: t.testdir({}) }, cwd: join(ROOT, "docs/examples"), rows: 40 },
    });
    await it.until(new RegExp(`^${patternOf(said.join("\n"))}capos> $`, "m"));
    for (const command of commands.slice(0, -1)) {
      const [line, ...output] = command.trimEnd().split("\n");
      it.press(`${line}\r`);
      // A program's first line may come before or behind that of its start.
      const orders = output.length === 2 ? [output, [...output].reverse()] : [output];
      const any = orders.map((lines) => lines.map((one) => `${patternOf(one)}\n`).join("")).join("|");
      await it.until(new RegExp(`^capos> ${patternOf(line!)}\n(?:${any})capos> $`, "m"));
    }
    it.press(commands.at(-1)!.replace("\n", "\r"));
    t.equal((await it.end()).status, 0);
  });
});
