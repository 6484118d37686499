/** What a new user does by the README, from an empty folder with Node and npm alone. */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { ROOT } from "../support/cli-process.js";
import { Installed } from "./support/installed.js";

t.setTimeout(1_800_000);

const README = readFileSync(join(ROOT, "README.md"), "utf8");

t.test("a new user, by the README", async (t) => {
  const installed = await Installed.pack(t);
  const folder = join(installed.folder, "empty");
  const project = join(folder, "demo");
  mkdirSync(folder);

  await t.test("installs the packed package", async (t) => {
    const run = await installed.npm(folder, "install", installed.tarball);
    t.equal(run.status, 0, run.stderr);
  });

  await t.test("makes a project, and installs what it needs", async (t) => {
    t.match(README, /^npx capos-smp new demo .*\ncd demo && npm install$/m);
    const made = await installed.run(folder, "npx", "capos-smp", "new", "demo");
    t.equal(made.status, 0, made.stderr);
    t.match(made.stdout, /^ {2}cd demo$/m);
    t.equal(readFileSync(join(project, ".gitignore"), "utf8"), "node_modules/\ndist/\n");
    const install = await installed.npm(project, "install");
    t.equal(install.status, 0, install.stderr);
  });

  await t.test("runs two programs that talk on two cores", async (t) => {
    const run = await installed.npm(project, "run", "--silent", "programs");
    t.equal(run.stdout, "client.ts | counted to 5\n");
    t.ok(README.includes(`$ npm run --silent programs\n${run.stdout}`), "the README shows it");
    t.equal(run.status, 0, run.stderr);
  });

  await t.test(
    "calls one from an application, takes back what it gave, and sees why at the client's own line",
    async (t) => {
      const run = await installed.npm(project, "start", "--silent");
      const client = readFileSync(join(project, "guests/client.ts"), "utf8").split("\n");
      const line = client.findLastIndex((text) => text.includes("yield* counter.add")) + 1;
      const column = client[line - 1]!.indexOf("counter.add") + "counter.".length + 1;
      t.strictSame(run.stdout.split("\n"), [
        "counted to 3",
        "the client says 3, the server 3",
        `the client ended: guests/client.ts:${line}:${column}: IpcError: counter.add: ERR_BAD_CAP`,
        "",
      ]);
      t.ok(README.includes(`$ npm start --silent\n${run.stdout}`), "the README shows it");
      t.equal(run.status, 0, run.stderr);
    },
  );

  await t.test("tests it", async (t) => {
    const run = await installed.npm(project, "test", "--silent");
    t.match(run.stdout, /^(?:#|ℹ) pass 2$/m);
    t.equal(run.status, 0, run.stderr);
  });

  await t.test("is refused a project where there is something", async (t) => {
    const run = await installed.run(folder, "npx", "capos-smp", "new", "demo");
    t.match(run, { status: 2, stdout: "", stderr: /^capos-smp: demo is not empty: [^\n]*\n$/ });
  });
});
