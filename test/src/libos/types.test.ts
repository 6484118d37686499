import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import t, { type Test } from "tap";
import ts from "typescript";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** Lines that end in `// error` must not compile, all others must. */
const SNIPPET = `
import { bytes, capability, DEFERRED, Echo, list, protocol, start, f64, text, u8, bool, type SavedReply, type Sys } from "capos/guest";

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

  let later: SavedReply<{ readonly value: number }> | undefined;
  yield* Echo.serve(sys, 1, { ping: (request) => request, say: () => {} });
  yield* Echo.serve(sys, 1, { ping: () => ({ value: 1 }) }); // error
  yield* Echo.serve(sys, 1, { ping: () => ({ value: "1" }), say: () => {} }); // error
  yield* Echo.serve(sys, 1, { ping: () => {}, say: () => {} }); // error
  yield* Echo.serve(sys, 1, { ping: ({ text }) => ({ value: 1 }), say: () => {} }); // error
  yield* Echo.serve(sys, 1, { *ping({ value }, context) { later = yield* context.defer(); return DEFERRED; }, say: () => {} });
  yield* Echo.serve(sys, 1, { *ping({ value }) { return { value }; }, say: () => {} });
  yield* Echo.serve(sys, 1, { *ping() { return { value: "" }; }, say: () => {} }); // error

  yield* later!.answer({ value: 1 });
  yield* later!.answer({}); // error
  yield* later!.answer({ text: "" }); // error

  const os = start(sys);
  yield* os.print(1); // error
  return 0;
}
`;

const CAPABILITIES = `
import { type Capability, capability, CNode, Endpoint, Monitor, Notification, Objects, own, Process, protocol, Sealer, start, text, u32, type Sys } from "capos/guest";

const Files = protocol("files", {
  open: { request: { name: text }, reply: { file: own(["read", "write", "narrow", "grant", "revoke"]) } },
  read: { needs: "read", request: { at: u32 }, reply: { text } },
  write: { needs: "write", request: { text }, reply: {} },
  absorb: { request: { file: own(["read"]) }, reply: {} },
  merge: { needs: "write", request: { from: own(["read"]) }, reply: {} },
  take: { request: { c: capability }, reply: {} },
});

export function* ok(sys: Sys) {
  const os = start(sys);
  const { cspace } = os;
  const dir = cspace.as(Files, 5, ["grant", "revoke"]);
  const { file } = yield* dir.open({ name: "x" });
  yield* file.write({ text: "a" });
  yield* file.read({ at: 0 });
  const ro = yield* cspace.narrow(file, ["read"]);
  yield* ro.read({ at: 0 });
  const ro2: Capability<typeof Files, "read"> = file;
  const back: Capability<typeof Files, "read" | "grant"> = ro;
  yield* cspace.revoke(ro);
  const quiet = yield* cspace.copy(ro, []);
  yield* quiet.read({ at: 0 });
  const same = yield* cspace.copy(file);
  yield* same.write({ text: "" });
  yield* cspace.revoke(same);
  const node = yield* cspace.make(CNode, 4);
  const h: number = yield* node.copy(1, file);
  const looking = yield* cspace.copy(node, ["read"]);
  yield* looking.inspect(1);
  yield* (yield* cspace.move(cspace.memory)).info();
  const sealer = yield* cspace.make(Sealer);
  const sealed = yield* cspace.seal(file, sealer);
  yield* cspace.drop(sealed);
  const open = yield* cspace.unseal(sealed, sealer);
  yield* open.write({ text: "" });
  const ep = yield* cspace.make(Endpoint);
  const minted = yield* cspace.mint(ep, 5, ["send"]);
  yield* minted.ring();
  yield* dir.absorb({ file });
  yield* file.merge({ from: ro });
  yield* file.merge({ from: { capability: ro, move: true } });
  yield* dir.take({ c: ep });
  yield* dir.take({ c: { capability: ep, rights: ["send", "grant"] } });
  const n = yield* cspace.make(Notification);
  const m = yield* cspace.make(Monitor);
  const p = yield* cspace.make(Process);
  yield* m.watch(p, n);
  const soon = yield* cspace.expire(file, 1e6, ["grant"]);
  yield* soon.write({ text: "" });
}

export function* bad(sys: Sys) {
  const { cspace } = start(sys);
  const dir = cspace.as(Files, 5, ["grant", "revoke"]);
  const { file } = yield* dir.open({ name: "x" });
  const ro = yield* cspace.narrow(file, ["read"]);
  yield* ro.write({ text: "a" }); // error
  yield* dir.read({ at: 0 }); // error
  yield* cspace.narrow(ro, ["read"]); // error
  yield* cspace.narrow(file, ["execute"]); // error
  const rw: Capability<typeof Files, "read" | "write"> = ro; // error
  const quiet = yield* cspace.copy(ro, []);
  yield* cspace.revoke(quiet); // error
  yield* dir.absorb({ file: quiet }); // error
  yield* cspace.copy(ro, ["write"]); // error
  yield* cspace.copy(file, ["read"]); // error
  const node = yield* cspace.make(CNode, 4);
  const looking = yield* cspace.copy(node, ["read"]);
  yield* looking.delete(1); // error
  yield* cspace.copy(cspace.memory); // error
  yield* cspace.expire(cspace.memory, 5); // error
  yield* cspace.copy(looking, ["write"]); // error
  const sealer = yield* cspace.make(Sealer);
  const sealed = yield* cspace.seal(file, sealer);
  yield* sealed.read({ at: 0 }); // error
  yield* cspace.copy(sealed); // error
  const closes = yield* cspace.copy(sealer, ["write"]);
  yield* cspace.unseal(sealed, closes); // error
  yield* cspace.unseal(file, sealer); // error
  yield* cspace.seal(file, node); // error
  yield* cspace.mint(node, 5); // error
  yield* cspace.mint(file, 5); // error
  yield* dir.absorb({ file: node }); // error
  yield* file.merge({ from: 5 }); // error
  const ep = yield* cspace.make(Endpoint);
  const deaf = yield* cspace.copy(ep, ["send"]);
  yield* dir.take({ c: deaf }); // error
  const bare: Capability<typeof Files, "read"> = { handle: 5 }; // error
  const n = yield* cspace.make(Notification);
  yield* (yield* cspace.copy(n, ["send"])).wait(); // error
  const f: Capability<typeof Files> = node; // error
}

export function* server(sys: Sys) {
  const { cspace, slots } = start(sys);
  const endpoint = yield* cspace.make(Endpoint);
  const files = new Objects<typeof Files, { text: string }>(cspace, Files, endpoint);
  const absorb = () => {};
  const take = () => {};
  const read = (_: object, { object }: { object: { text: string } }) => ({ text: object.text });
  const write = () => {};
  const merge = ({ from }: { from: number }) => { files.get(from, ["read"]); };
  const all = { absorb, take, read, write, merge };
  yield* Files.serve(sys, endpoint, {
    ...all,
    *open({ name }) { return { file: yield* files.mint({ text: name }, ["read", "write", "narrow"]) }; },
    write: ({ text }, { object }) => { object.text += text; },
    take: ({ c }, { object }) => { const handle: number = c; const nothing: { text: string } | undefined = object; },
  }, { slots, objects: files });
  yield* Files.serve(sys, endpoint, {
    ...all,
    *open({ name }) { return { file: yield* files.mint({ text: name }, ["read", "write"]) }; }, // error
  }, { slots, objects: files });
  yield* Files.serve(sys, endpoint, {
    ...all,
    *open() { return { file: 5 }; }, // error
  }, { slots, objects: files });
  yield* Files.serve(sys, endpoint, {
    ...all,
    *open({ name }) { return { file: yield* files.mint({ text: name }, ["read", "write", "narrow"]) }; },
    write: ({ text }, { object }) => { object.size = 1; }, // error
    take: (_, { object }) => { object.text = ""; }, // error
  }, { slots, objects: files });
  yield* files.mint({ size: 1 }, ["read"]); // error
  yield* files.mint({ text: "" }, ["grant"]); // error
  const deaf = yield* cspace.copy(endpoint, ["send"]);
  yield* Files.serve(sys, deaf, { ...all, open: () => { throw new Error(); } }); // error
  protocol("p", { m: { needs: "fly", request: {}, reply: {} } }); // error
  protocol("p", { m: { needs: "narrow", request: {}, reply: {} } }); // error
  own(["fly"]); // error
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
    paths: { "capos/guest": [`${ROOT}packages/cli/dist/guest.d.ts`] },
  };
  const diagnostics = ts.getPreEmitDiagnostics(ts.createProgram([path], options));
  return diagnostics.map(({ file, start, messageText }) => {
    if (file?.fileName !== path) throw new Error(ts.flattenDiagnosticMessageText(messageText, "\n"));
    return file.getLineAndCharacterOfPosition(start!).line + 1;
  });
}

/** Asserts that just the marked lines of a snippet are refused. */
function checkSnippet(t: Test, name: string, snippet: string): void {
  const path = fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
  writeFileSync(path, snippet);
  const expected = snippet.split("\n").flatMap((line, i) => (line.endsWith("// error") ? [i + 1] : []));
  const found = new Set(linesWithErrors(path));
  const lines = readFileSync(path, "utf8").split("\n");
  for (const line of expected) t.ok(found.has(line), `refused: ${lines[line - 1].trim()}`);
  t.same(
    [...found].filter((line) => !expected.includes(line)).map((line) => lines[line - 1]),
    [],
    "all else compiles",
  );
}

t.test("a request, reply or handler of the wrong type does not compile", (t) => {
  checkSnippet(t, "libos-types-snippet", SNIPPET);
  t.end();
});

t.test("what a capability's rights do not permit does not compile", (t) => {
  checkSnippet(t, "libos-capabilities-snippet", CAPABILITIES);
  t.end();
});

t.test("the examples compile", (t) => {
  for (const name of ["ping-pong", "read-only"])
    t.same(linesWithErrors(`${ROOT}docs/examples/${name}.ts`), [], name);
  t.end();
});
