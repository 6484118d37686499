/** The documents name nothing that is not there: links, commands, options. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import t from "tap";
import { caposSmp, ROOT } from "../support/cli-process.js";
import { pages, readPage } from "../support/document.js";

t.setTimeout(300_000);

/** A page without its fenced blocks. */
const proseOf = (text: string): string => text.replace(/^```.*?^```$/gms, "");

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, title] of proseOf(text).matchAll(/^#+ (.*)$/gm)) {
    const anchor = title!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-");
    anchors.add(anchor);
  }
  return anchors;
}

t.test("each link within the documents leads to a file and a heading that there are", (t) => {
  for (const page of pages()) {
    for (const [, target] of proseOf(readPage(page)).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target!)) continue;
      const [path, anchor] = target!.split("#") as [string, string?];
      const file = path === "" ? page : join(dirname(page), path);
      if (!existsSync(join(ROOT, file))) t.fail(`${page}: ${target}`);
      else if (anchor !== undefined && !anchorsOf(readPage(file)).has(anchor)) t.fail(`${page}: ${target}`);
      else t.pass();
    }
  }
  t.end();
});

t.test("README's list of documents has each page once", (t) => {
  const readme = readPage("README.md");
  const [, list] = /^## Documents\n(.*?)^## /ms.exec(readme)!;
  const linked = [...list!.matchAll(/\]\((docs\/[^)#]+\.md)\)/g)].map(([, page]) => page);
  t.same(
    linked.sort(),
    pages()
      .filter((page) => page !== "README.md")
      .sort(),
  );
  t.end();
});

const OPTION = /--[a-z][a-z-]*/g;

/** What help says: the options of the program without a command (""), and of each command. */
async function optionsByCommand(): Promise<Map<string, Set<string>>> {
  const optionsIn = (help: string): Set<string> =>
    new Set([...help.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, option]) => option!));
  const all = await caposSmp(["help"]);
  const names = [...all.stdout.split("Commands:")[1]!.matchAll(/^ {2}([a-z]+)/gm)].map(([, name]) => name!);
  const found = new Map([["", optionsIn(all.stdout)]]);
  for (const name of names) found.set(name, optionsIn((await caposSmp(["help", name])).stdout));
  return found;
}

/** Words of a command line that are the command's own: a guest's arguments are not, nor is what stands behind a comment or a pipe. */
function ownWords(line: string): string[] {
  const words = line.replace(/ {2,}.*| [#|>] .*/, "").split(/[ ,]/);
  const file = words.findIndex((word) => /\.(ts|mjs|js)$/.test(word));
  return words[0] === "run" && file > 0 ? words.slice(0, file) : words;
}

t.test("each command that the documents name is one, with the options that they name", async (t) => {
  const commands = await optionsByCommand();
  t.ok(commands.size > 8, [...commands.keys()].join());
  let seen = 0;
  for (const page of pages()) {
    const named = readPage(page).matchAll(/(?:\bcapos-smp|\bnpm start --) ([^`"\n]+)/g);
    for (const [, rest] of named) {
      for (const line of rest!.split(" -- ")) {
        const [command, ...words] = ownWords(line.trim());
        // Prose, or what stands for a command or a file.
        if (command === undefined || !/^(--)?[a-z]/.test(command)) continue;
        const isOption = command.startsWith("--");
        const options = commands.get(isOption ? "" : command);
        if (options === undefined) {
          if (
            rest!.startsWith(command) &&
            /^[a-z]+$/.test(command) &&
            words.some((word) => /^[-[A-Z]/.test(word))
          )
            t.fail(`${page}: capos-smp ${line}`);
          continue;
        }
        seen++;
        for (const [option] of [...(isOption ? [command] : []), ...words].join(" ").matchAll(OPTION))
          if (!options.has(option)) t.fail(`${page}: capos-smp ${line}: ${option}`);
      }
    }
  }
  t.ok(seen > 50, `${seen} found`);
});

/** Options of other programs that the documents speak of. */
const OTHERS = new Set([
  "--cpu-prof",
  "--disallow-code-generation-from-strings",
  "--frozen-intrinsics",
  "--jitless",
  "--max-old-space-size",
  "--no-sandbox",
  // Of a shell's own command.
  "--priority",
]);

t.test("each option that the documents name by itself is one of some command", async (t) => {
  const all = new Set([...(await optionsByCommand()).values()].flatMap((options) => [...options]));
  for (const page of pages())
    for (const [, option] of proseOf(readPage(page)).matchAll(/`(--[a-z][a-z-]*)[^`]*`/g))
      if (!all.has(option!) && !OTHERS.has(option!)) t.fail(`${page}: ${option}`);
      else t.pass();
});
