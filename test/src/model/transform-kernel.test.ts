/** The kernel passes through the transformation, and does the same behind it. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Coroutine } from "@capos/explorer";
import { type Program, runToEnd, transformProgram } from "@capos/explorer/transform";
import { buildTables, Core, type CoreId } from "@capos/kernel/internal";
import { KERNEL_PROGRAM } from "@capos/model/kernel";
import t, { type Test } from "tap";
import { atOnce, writeModules } from "../explorer/support/programs.js";
import { makeMachine } from "../support/machine.js";

const KERNEL = dirname(fileURLToPath(import.meta.resolve("@capos/kernel")));

/** Part of the kernel as the checker runs it, without what writes traces. */
async function kernelProgram(t: Test, modules: readonly string[]): Promise<Program> {
  const entry = writeModules(
    t,
    modules.map((module) => `export * from "${join(KERNEL, module)}";`).join("\n"),
  );
  const { replacements } = KERNEL_PROGRAM;
  return await transformProgram({ entry, replacements, edits: [], root: join(KERNEL, "../../..") });
}

t.test("the kernel's loop is transformed: what is left alone is set-up", async (t) => {
  const program = await kernelProgram(t, ["loop/loop.js", "state/core.js"]);
  const left = new Set(program.untouched.map((site) => `${site.file} ${site.function}`));
  const expected = [
    /\/machine-map\.ts coreArea$/,
    /\/trace\/src\/event\.ts \(in event\)$/,
    /\/recordings\.ts traceRings$/,
    /\/ring\.ts RingPort\.(constructor|kind)$/,
    /\/core\.ts Core\.constructor$/,
    /\/mmu\.ts Mmu\.(readTags|writeTags)$/,
  ];
  t.same(
    [...left].filter((name) => !expected.some((pattern) => pattern.test(name))),
    [],
  );
  const functions = new Set(program.sites.map((site) => `${site.file} ${site.function}`));
  for (const name of [
    "loop.ts run",
    "loop.ts pollAttention",
    "tree-lock.ts lockTree",
    "safe-point.ts attend",
    "ring.ts RingPort.reserve",
  ])
    t.ok(
      [...functions].some((site) => site.endsWith(`/${name}`)),
      name,
    );
  t.equal(Object.prototype.toString.call(atOnce(program).run), "[object GeneratorFunction]");
});

t.test("the transformed kernel writes the same tables as the kernel", async (t) => {
  const program = await kernelProgram(t, ["loop/loop.js", "state/core.js", "boot/tables.js"]);
  const wordsBy = (CoreClass: typeof Core, build: (k: Core) => unknown): Int32Array => {
    const { wasm, memory } = makeMachine(2);
    build(new CoreClass(0 as CoreId, memory));
    return new Int32Array(wasm.buffer);
  };
  const exports = atOnce(program) as { Core: typeof Core; buildTables(k: Core): Coroutine };
  const expected = wordsBy(Core, buildTables);
  const found = wordsBy(exports.Core, (k) => runToEnd(exports.buildTables(k)));
  t.ok(expected.filter((word) => word !== 0).length > 1000);
  const different = found.findIndex((word, i) => word !== expected[i]);
  t.equal(different, -1);
});
