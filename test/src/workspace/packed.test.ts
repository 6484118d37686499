/** What users install: everything they need is in it, and it works where there is nothing but Node and npm. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Right } from "@capos/abi";
import t from "tap";
import { ROOT } from "../support/cli-process.js";
import { Installed } from "./support/installed.js";

t.setTimeout(1_800_000);

const GUEST = `import { Err, Right, start, type Sys } from "capos/guest";

export default function* main(sys: Sys) {
  const os = start(sys);
  yield* os.print(\`hello, \${os.args[0] ?? "world"}: \${Err.DENIED} \${Right.GRANT}\`);
  return 0;
}
`;
const APPLICATION = `import { boot, type RunResult } from "capos";
import { Err, protocol, text } from "capos/guest";

const Store = protocol("store", { get: { request: { key: text }, reply: { value: text } } });
const machine = await boot({ cores: 2, memoryMiB: 64 });
const result: RunResult = await machine.run("guest.ts", { args: ["application"] });
console.log(result.status, Store.name, Err.DENIED);
await machine.halt();
`;
const TSCONFIG = JSON.stringify({
  compilerOptions: {
    ...{ target: "ES2022", lib: ["ES2022"], module: "NodeNext", types: ["node"], outDir: "dist" },
    ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true },
    // What users have who compile file by file; and no library's mistakes are looked over.
    ...{ isolatedModules: true, verbatimModuleSyntax: true, skipLibCheck: false },
  },
  include: ["*.ts"],
});

t.test("the packed package works in an empty project", async (t) => {
  const installed = await Installed.pack(t);
  const folder = await installed.project(t, {
    ...{ "guest.ts": GUEST, "application.ts": APPLICATION, "tsconfig.json": TSCONFIG },
  });
  const own = join(folder, "node_modules/capos");
  const command = join(folder, "node_modules/.bin/capos-smp");

  await t.test("a guest and an application compile under strict options", async (t) => {
    const compiler = join(folder, "node_modules/typescript-compiler/bin/tsc");
    const run = await installed.run(folder, process.execPath, compiler, "-p", ".");
    t.equal(run.stdout, "");
    t.equal(run.status, 0, run.stderr);
  });

  await t.test("a guest runs, and an application runs it", async (t) => {
    const guest = await installed.run(folder, command, "run", "--cores", "2", "guest.ts", "reader");
    t.equal(guest.stdout, `hello, reader: -3 ${Right.GRANT}\n`);
    t.equal(guest.status, 0, guest.stderr);
    const application = await installed.run(folder, process.execPath, "dist/application.js");
    t.equal(application.stdout, `hello, application: -3 ${Right.GRANT}\n0 store -3\n`);
    t.equal(application.status, 0, application.stderr);
  });

  await t.test("what reads compiled code of the kernel and images finds it", async (t) => {
    // In a repository of somebody's, as a project is.
    await installed.run(folder, "git", "init", "-q", ".");
    const check = await installed.run(
      folder,
      command,
      ...["check", "--mutant", "skip-grace-period", "--quiet", "--workers", "1", "--save", "found.json"],
    );
    t.match(check.stdout, /mutant skip-grace-period: .*\n/);
    t.match(check.stdout, /saved in found\.json/, check.stderr);
    const stress = await installed.run(folder, command, "stress", "doorbell", "--seconds", "0.5", "--quiet");
    t.match(stress.status, /^[02]$/, stress.stderr);
    const bench = await installed.run(
      folder,
      command,
      ...["bench", "null-trap", "--cores", "2", "--seconds", "0.1", "--json", "--quiet"],
    );
    t.match(JSON.parse(bench.stdout), { results: [{ name: "null-trap" }] }, bench.stderr);
  });

  t.test("no file in it tells where it was made, and none is there for those who change capos", (t) => {
    const all = readdirSync(own, { recursive: true, encoding: "utf8" });
    const files = all.filter((file) => !file.startsWith("templates"));
    t.strictSame(
      files.filter((file) => /\.(map|tsbuildinfo|code)$|\.test\.|(^|\/)src\//.test(file)),
      [],
    );
    for (const file of files.filter((file) => /\.(js|cjs|mjs|json|ts)$/.test(file)))
      t.notOk(readFileSync(join(own, file), "utf8").includes(ROOT), file);
    for (const file of ["README.md", "LICENSE"]) t.ok(existsSync(join(own, file)), file);
    t.end();
  });

  t.test("its manifest says what it is, and needs nothing that only the clone has", (t) => {
    const manifest = JSON.parse(readFileSync(join(own, "package.json"), "utf8"));
    t.match(manifest, { name: "capos", license: "Apache-2.0", keywords: [/./], bin: { "capos-smp": /./ } });
    t.notMatch(JSON.stringify(manifest), "workspace:");
    for (const [name, version] of Object.entries(manifest.dependencies))
      t.match(version, /^(npm:[a-z]+@)?\d+\.\d+\.\d+$/, name);
    t.end();
  });
});
