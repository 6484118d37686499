/** The rules about imports refuse what they are there to refuse: small workspaces that break them. */
import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import t, { type Test } from "tap";
import { ROOT } from "../support/cli-process.js";

const CRUISER = join(ROOT, "node_modules/dependency-cruiser/bin/dependency-cruise.mjs");

/** Checks a workspace, given as the one import of each file and what else is there; gives the rules that it breaks. */
async function broken(
  t: Test,
  imports: Readonly<Record<string, string>>,
  others: Readonly<Record<string, string>> = {},
): Promise<string[]> {
  const folder = t.testdir({ "tsconfig.base.json": "{}" });
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  for (const [path, imported] of Object.entries(imports)) {
    const text = imported === "" ? "" : `import ${JSON.stringify(imported)};\n`;
    write(path, `${text}export const it = 1;\n`);
  }
  for (const [path, text] of Object.entries(others)) write(path, text);
  const config = join(ROOT, ".dependency-cruiser.cjs");
  const args = [CRUISER, "--config", config, "--output-type", "json", "packages", "bench", "test"];
  for (const top of ["packages", "bench", "test"]) mkdirSync(join(folder, top), { recursive: true });
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, args, { cwd: folder }, (_, stdout) => resolve(stdout));
  });
  const { violations } = (JSON.parse(output) as { summary: { violations: { rule: { name: string } }[] } })
    .summary;
  return [...new Set(violations.map(({ rule }) => rule.name))].sort();
}

t.test("each rule refuses an import that breaks it, and no other", async (t) => {
  const found = await broken(t, {
    "packages/abi/src/low.ts": "../../hal/src/memory/plain.js",
    "packages/hal/src/memory/plain.ts": "",
    "packages/hal/src/memory/low.ts": "../cpu/plain.js",
    "packages/hal/src/cpu/plain.ts": "",
    "packages/kernel/src/ipc/low.ts": "../object/plain.js",
    "packages/kernel/src/object/plain.ts": "",
    "packages/kernel/src/sched/low.ts": "../beside.js",
    "packages/kernel/src/beside.ts": "",
    "packages/libos/src/low.ts": "../../hal/src/memory/plain.js",
    "packages/explorer/src/explore/knowing.ts": "../../../abi/src/low.js",
    "packages/servers/src/guests/one.ts": "../../../inspect/src/plain.js",
    "packages/inspect/src/plain.ts": "",
    "packages/cli/src/one.ts": "./other.js",
    "packages/cli/src/other.ts": "./one.js",
    "test/src/lost.ts": "./nowhere.js",
  });
  t.same(found, [
    "abi-imports-lower-packages-only",
    "everything-resolves",
    "guests-import-abi-and-libos-only",
    "hal-memory-imports-lower-folders-only",
    "kernel-ipc-imports-lower-folders-only",
    "kernel-sched-imports-lower-folders-only",
    "libos-imports-abi-only",
    "no-circles",
    "the-explorer-knows-nothing-of-capos",
  ]);
});

t.test("a package that needs a tool of the tests is refused", async (t) => {
  const found = await broken(
    t,
    { "packages/abi/src/one.ts": "tool", "bench/src/plain.ts": "library", "test/src/plain.ts": "tool" },
    {
      ...{ "node_modules/tool/index.js": "", "node_modules/library/index.js": "" },
      "package.json": JSON.stringify({ dependencies: { library: "*" }, devDependencies: { tool: "*" } }),
    },
  );
  t.same(found, ["the-command-line-needs-no-tools"]);
});

t.test("imports that point down break no rule", async (t) => {
  const found = await broken(t, {
    "packages/abi/src/plain.ts": "",
    "packages/hal/src/cpu/one.ts": "../memory/plain.js",
    "packages/hal/src/memory/plain.ts": "../../../abi/src/plain.js",
    "packages/kernel/src/object/one.ts": "../ipc/plain.js",
    "packages/kernel/src/ipc/plain.ts": "../../../hal/src/cpu/one.js",
    "packages/libos/src/plain.ts": "../../abi/src/plain.js",
    "test/src/kernel/guests/one.ts": "../../../../packages/libos/src/plain.js",
    "test/src/kernel/guests/one.test.ts": "../../../../packages/kernel/src/object/one.js",
  });
  t.same(found, []);
});
