/** The kernel passes through the transformation, and does the same behind it. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Coroutine } from "@capos/explorer";
import { type Program, runToEnd, transformProgram } from "@capos/explorer/transform";
import { buildTables, Core } from "@capos/kernel/internal";
import t, { type Test } from "tap";
import { atOnce, writeModules } from "../explorer/support/programs.js";
import { makeMachine } from "../support/machine.js";

const KERNEL = dirname(fileURLToPath(import.meta.resolve("@capos/kernel")));

/** Part of the kernel, without what hardens a realm for guests, prints dumps and writes traces. */
async function kernelProgram(t: Test, modules: readonly string[]): Promise<Program> {
  const entry = writeModules(t, {
    "main.js": modules.map((module) => `export * from "${join(KERNEL, module)}";`).join("\n"),
    "realm.js": "export const faultOf = () => null, hardenRealm = faultOf, compileProgram = faultOf;",
    "text.js": "export const dump = () => [];",
    "trace-writer.js": "export class TraceWriter {}",
  });
  const by = (name: string) => join(dirname(entry), name);
  return await transformProgram({
    entry,
    replacements: {
      "kernel/dist/guest/realm.js": by("realm.js"),
      "kernel/dist/inspect/text.js": by("text.js"),
      "hal/dist/trace/writer.js": by("trace-writer.js"),
    },
    edits: [],
    root: join(KERNEL, "../../.."),
  });
}

t.test("the kernel's loop is transformed: what is left alone is set-up, registers and a Map", async (t) => {
  const program = await kernelProgram(t, ["loop.js", "core.js"]);
  const left = new Set(program.untouched.map((site) => `${site.file} ${site.function}`));
  const expected = [
    /^packages\/hal\/src\/machine-map\.ts coreArea$/,
    /^packages\/hal\/src\/trace\/(events\.ts \(in event\)|ring\.ts .*)$/,
    /^packages\/hal\/src\/ring\.ts RingPort\.(constructor|kind)$/,
    /^packages\/kernel\/src\/core\.ts Core\.constructor$/,
    /^packages\/kernel\/src\/guest\/(sys\.ts .*|realm-cache\.ts startGuest)$/,
  ];
  t.same(
    [...left].filter((name) => !expected.some((pattern) => pattern.test(name))),
    [],
  );
  const functions = new Set(program.sites.map((site) => `${site.file} ${site.function}`));
  for (const name of [
    "loop.ts run",
    "loop.ts poll",
    "capability/tree-lock.ts lockTree",
    "safe-point.ts attend",
  ])
    t.ok(functions.has(`packages/kernel/src/${name}`), name);
  t.ok(functions.has("packages/hal/src/ring.ts RingPort.reserve"), "methods are found by name");
  t.equal(Object.prototype.toString.call(atOnce(program).run), "[object GeneratorFunction]");
});

t.test("the transformed kernel writes the same tables as the kernel", async (t) => {
  const program = await kernelProgram(t, ["loop.js", "core.js", "boot/tables.js"]);
  const wordsBy = (CoreClass: typeof Core, build: (k: Core) => unknown): Int32Array => {
    const { wasm, memory } = makeMachine(2);
    build(new CoreClass(0, memory));
    return new Int32Array(wasm.buffer);
  };
  const exports = atOnce(program) as { Core: typeof Core; buildTables(k: Core): Coroutine };
  const expected = wordsBy(Core, buildTables);
  const found = wordsBy(exports.Core, (k) => runToEnd(exports.buildTables(k)));
  t.ok(expected.filter((word) => word !== 0).length > 1000);
  const different = found.findIndex((word, i) => word !== expected[i]);
  t.equal(different, -1);
});
