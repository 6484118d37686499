import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import t from "tap";
import ts from "typescript";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Lines that end in `// error` must not compile, all others must. */
const SNIPPET = `
import { bytes, capability, DEFERRED, Echo, list, protocol, start, f64, text, u8, bool, type Sys } from "@capos/libos";

const All = protocol("all", {
  set: { request: { n: u8, b: bool, t: text, raw: bytes, l: list(f64, 3), c: capability }, reply: { n: u8, t: text } },
  none: { request: {}, reply: {} },
});

export function* main(sys: Sys) {
  const echo = Echo.client(sys, 1);
  const { value } = yield* echo.ping({ value: 1 });
  const sum: number = value + 1;
  yield* echo.ping({ value: "1" }); // error
  yield* echo.ping({ value: true }); // error
  yield* echo.ping({}); // error
  yield* echo.ping(); // error
  yield* echo.ping({ value: 1, other: 2 }); // error
  yield* echo.pong({ value: 1 }); // error
  const { other } = yield* echo.ping({ value: 1 }); // error
  const wrong: string = (yield* echo.ping({ value: 1 })).value; // error

  const all = All.client(sys, 1);
  const good = { n: 1, b: true, t: "t", raw: [1], l: [0.5], c: 7 };
  const reply: { n: number; t: string } = yield* all.set(good);
  yield* all.set({ ...good, b: 1 }); // error
  yield* all.set({ ...good, t: 1 }); // error
  yield* all.set({ ...good, raw: "bytes" }); // error
  yield* all.set({ ...good, l: ["1"] }); // error
  yield* all.set({ ...good, c: "name" }); // error
  yield* all.none();
  yield* all.none({});

  yield* Echo.serve(sys, 1, { ping: (request) => request, say: () => {} });
  yield* Echo.serve(sys, 1, { ping: () => ({ value: 1 }) }); // error
  yield* Echo.serve(sys, 1, { ping: () => ({ value: "1" }), say: () => {} }); // error
  yield* Echo.serve(sys, 1, { ping: () => {}, say: () => {} }); // error
  yield* Echo.serve(sys, 1, { ping: ({ text }) => ({ value: 1 }), say: () => {} }); // error
  yield* Echo.serve(sys, 1, { *ping({ value }, context) { yield* context.defer(5); return DEFERRED; }, say: () => {} });
  yield* Echo.serve(sys, 1, { *ping({ value }) { return { value }; }, say: () => {} });
  yield* Echo.serve(sys, 1, { *ping() { return { value: "" }; }, say: () => {} }); // error

  yield* Echo.answer(sys, 1, "ping", { value: 1 });
  yield* Echo.answer(sys, 1, "ping", {}); // error
  yield* Echo.answer(sys, 1, "pong", {}); // error

  const os = start(sys);
  yield* os.print(1); // error
  return 0;
}
`;

/** Lines (from 1) of a file with errors, under the strict options of the workspace. */
function linesWithErrors(path: string): number[] {
  const options: ts.CompilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: [],
    paths: { "@capos/libos": [`${ROOT}packages/libos/dist/index.d.ts`] },
  };
  const diagnostics = ts.getPreEmitDiagnostics(ts.createProgram([path], options));
  return diagnostics.map(({ file, start, messageText }) => {
    if (file?.fileName !== path) throw new Error(ts.flattenDiagnosticMessageText(messageText, "\n"));
    return file.getLineAndCharacterOfPosition(start!).line + 1;
  });
}

t.test("a request, reply or handler of the wrong type does not compile", (t) => {
  const path = fileURLToPath(new URL("./libos-types-snippet.ts", import.meta.url));
  writeFileSync(path, SNIPPET);
  const expected = SNIPPET.split("\n").flatMap((line, i) => (line.endsWith("// error") ? [i + 1] : []));
  const found = new Set(linesWithErrors(path));
  const lines = readFileSync(path, "utf8").split("\n");
  for (const line of expected) t.ok(found.has(line), `refused: ${lines[line - 1]!.trim()}`);
  t.same(
    [...found].filter((line) => !expected.includes(line)).map((line) => lines[line - 1]),
    [],
    "all else compiles",
  );
  t.end();
});

t.test("the ping-pong example compiles", (t) => {
  t.same(linesWithErrors(`${ROOT}docs/examples/ping-pong.ts`), []);
  t.end();
});
