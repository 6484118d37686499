/** The tutorial, followed: its files are written where it says, its commands run in their order, and each prints what it shows. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import t, { type Test } from "tap";
import { BIN, ROOT } from "../support/cli-process.js";
import { blocksOf, commandsOf } from "../support/document.js";

t.setTimeout(1_200_000);

/** What installing gives a project: here, links to what the clone has built. */
function install(folder: string): void {
  const links = {
    capos: join(ROOT, "packages/cli"),
    "@types": join(ROOT, "node_modules/@types"),
    ".bin/tsc": join(ROOT, "node_modules/typescript-compiler/bin/tsc"),
  };
  for (const [name, target] of Object.entries(links)) {
    const path = join(folder, "node_modules", name);
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(target, path);
  }
  // A link would do, were it a file that may be run, as it is in the package.
  const command = join(folder, "node_modules/.bin/capos-smp");
  mkdirSync(dirname(command), { recursive: true });
  writeFileSync(command, `#!/bin/sh\nexec node '${BIN}' "$@"\n`, { mode: 0o755 });
  // The clone's constants are const enums, which this option forbids to name; the package's are enums.
  const config = join(folder, "tsconfig.json");
  if (existsSync(config))
    writeFileSync(
      config,
      readFileSync(config, "utf8").replace('"verbatimModuleSyntax": true', '"verbatimModuleSyntax": false'),
    );
}

/** A follower of the page: where it is, and what it does with a command. */
class Reader {
  constructor(private folder: string) {}

  write(file: string, text: string): void {
    const path = join(this.folder, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }

  run(t: Test, line: string, output: string): void {
    const [command, ...args] = line.split(" ");
    if (command === "cd") this.folder = join(this.folder, args[0]!);
    else if (line === "npm install" || line === "npm install capos") install(this.folder);
    else {
      const words = command === "npx" ? [process.execPath, BIN, ...args.slice(1)] : [command!, ...args];
      const path = [dirname(process.execPath), process.env.PATH].join(delimiter);
      // What the tests' own runner asks of Node, of each process that it sees started, is none of a reader's.
      const run = spawnSync("env", ["-u", "NODE_OPTIONS", ...words], {
        cwd: this.folder,
        encoding: "utf8",
        env: { ...process.env, PATH: path },
      });
      t.equal(run.error, undefined);
      // What a page shows of a command that says how it went on is left to that command's own tests.
      if (args[1] !== "new") t.equal(run.stdout + run.stderr, output, line);
      else t.equal(run.status, 0, run.stderr);
    }
  }
}

t.test("who follows the tutorial sees what it shows", (t) => {
  const reader = new Reader(t.testdir());
  for (const { language, file, text } of blocksOf("docs/tutorial.md")) {
    if (file !== null) reader.write(file, text);
    else if (language === "console")
      for (const { line, output } of commandsOf(text)) reader.run(t, line, output);
    else t.fail(`a block that is neither a file nor a session: ${text}`);
  }
  t.end();
});
