/** Images that a guest imports: `import worker from "./worker.ts" with { type: "image" }`. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { boot, type CaposMachine, compileGuest } from "@capos/machine";
import t, { type Test } from "tap";

const HEAD = 'import { spawnProcess, start } from "@capos/libos";\n';
const lines: string[] = [];
let machine: CaposMachine;

t.before(async () => {
  machine = await boot({
    cores: 2,
    memoryMiB: 64,
    logLevel: "silent",
    onConsole: (line) => void lines.push(line),
  });
});
t.teardown(() => machine.halt());

function write(t: Test, files: Record<string, string>): string {
  const folder = t.testdir();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return join(folder, "main.ts");
}

/** A guest that starts what it imports, prints its name, and ends when those have rung. */
function starter(images: readonly string[], arrives = "os.args.length === 0"): string {
  const imports = images
    .map((file, i) => `import image${i} from "./${file}" with { type: "image" };\n`)
    .join("");
  return `${HEAD}${imports}
export default function* main(sys) {
  const os = start(sys);
  if (${arrives}) for (const image of [${images.map((_, i) => `image${i}`).join(", ")}]) {
    const done = yield* os.endpoint();
    const memoryBits = Number(os.args[0] ?? 23) - 3;
    const threads = 4 ** ((memoryBits - 14) / 3);
    yield* spawnProcess(os, { image, memoryBits, threads, args: [\`\${memoryBits}\`], gifts: [{ handle: done }] });
    yield sys.recv(done);
  }
  yield* os.print(os.name);
  if (os.handed.length > 0) yield sys.send(os.handed[0], 0);
  return 0;
}`;
}

async function ran(file: string): Promise<string[]> {
  lines.length = 0;
  const { status, fault } = await machine.run(file, { untyped: 2 ** 24, timeoutMs: 25_000 });
  return [...lines, ...(fault === "" ? [] : [fault]), `${status}`];
}

t.test(
  "a program starts another, whose file it imports as an image, and is given what that imports",
  async (t) => {
    const file = write(t, {
      "main.ts": starter(["a.ts", "deep/c.ts", "a.ts"]),
      "a.ts": starter(["deep/c.ts", "b.ts"], "true"),
      "b.ts": starter([]),
      "deep/c.ts": starter(["../b.ts"], "true"),
    });
    t.same(await ran(file), [
      ...["b.ts", "c.ts", "b.ts", "a.ts"],
      ...["b.ts", "c.ts"],
      ...["b.ts", "c.ts", "b.ts", "a.ts"],
      ...["main.ts", "0"],
    ]);
    const { assets } = await compileGuest(file);
    t.same(assets!.map(({ name }) => name).sort(), ["a.ts", "b.ts", "c.ts"], "each file once");
  },
);

t.test("programs may import each other, and themselves", async (t) => {
  const file = write(t, {
    "main.ts": starter(["other.ts", "main.ts"]),
    "other.ts": starter(["main.ts"], "true"),
  });
  t.same(await ran(file), ["main.ts", "other.ts", "main.ts", "main.ts", "0"]);
});

t.test("the same files make the same images, in whatever order they are met", async (t) => {
  const file = write(t, {
    "main.ts": starter(["a.ts", "b.ts", "c.ts"]),
    ...Object.fromEntries(["a.ts", "b.ts", "c.ts"].map((name) => [name, starter([])])),
  });
  const codes = await Promise.all([1, 2, 3].map(async () => (await compileGuest(file)).code));
  t.equal(new Set(codes).size, 1);
});

t.test("a file may be an image in one place and a module in another", async (t) => {
  const file = write(t, {
    "main.ts": `${HEAD}import image from "./part.ts" with { type: "image" };
import part, { NUMBER } from "./part.ts";
export default function* main(sys) {
  const os = start(sys);
  const { handle, assets } = yield* os.image(image);
  yield* os.print(\`\${typeof handle} \${assets.length} \${typeof part} \${NUMBER}\`);
}`,
    "part.ts": "export const NUMBER = 7;\nexport default function* main() {}",
  });
  t.same(await ran(file), ["number 0 function 7", "0"]);
});

t.test("what is wrong with an image is told with the place in its own file", async (t) => {
  const main = (path: string): string => starter([path]);
  const cases: readonly (readonly [string, Record<string, string>, RegExp])[] = [
    ["syntax", { "main.ts": main("a.ts"), "a.ts": "\nexport default function* main( {" }, /a\.ts:2:\d+: /],
    [
      "async",
      { "main.ts": main("a.ts"), "a.ts": "\n\nexport default async function main() {}" },
      /a\.ts:3:1: async/,
    ],
    ["no guest", { "main.ts": main("a.ts"), "a.ts": "export const a = 1;" }, /a\.ts:1:1: no default export/],
    [
      "nested",
      {
        "main.ts": main("a.ts"),
        "a.ts": main("b.ts"),
        "b.ts": "export default function* main() { eval('1'); }",
      },
      /b\.ts:1:35: eval/,
    ],
    [
      "missing",
      { "main.ts": main("none.ts") },
      /main\.ts:2:20: cannot import "\.\/none\.ts": there is no such file/,
    ],
    ["outside", { "main.ts": main("../../package.json") }, /main\.ts:2:20: .*a guest's files are below/],
    [
      "json",
      { "main.ts": main("a.json"), "a.json": "{}" },
      /main\.ts:2:20: .*as an image: a guest is a file that ends in/,
    ],
    [
      "a package",
      {
        "main.ts":
          'import a from "@capos/libos" with { type: "image" };\nexport default function* main() { a; }',
      },
      /main\.ts:1:15: .*begins with \.\/ or \.\.\//,
    ],
    [
      "another attribute",
      {
        "main.ts": 'import a from "./a.ts" with { type: "text" };\nexport default function* main() { a; }',
        "a.ts": "",
      },
      /main\.ts:1:15: .*type "image" for a guest's file/,
    ],
  ];
  for (const [what, files, message] of cases)
    await t.test(what, async (t) => {
      await t.rejects(compileGuest(write(t, files)), { message });
    });
});

t.test("a program that was not imported as an image is told at the line that would start it", async (t) => {
  const file = write(t, {
    "main.ts": `${HEAD}import part from "./part.ts";
export default function* main(sys) {
  yield* spawnProcess(start(sys), { image: part });
}`,
    "part.ts": "export default function* main() {}",
  });
  t.match(
    (await ran(file))[0],
    /main\.ts:4:\d+: TypeError: no image: import the program with \{ type: "image" \}/,
  );
});

t.test("an image that is run by its handle alone has none of its own, and is told so", async (t) => {
  const file = write(t, {
    "main.ts": `${HEAD}import a from "./a.ts" with { type: "image" };
export default function* main(sys) {
  const os = start(sys);
  const done = yield* os.endpoint();
  const { handle } = yield* os.image(a);
  yield* spawnProcess(os, { image: handle, name: "alone", memoryBits: 16, gifts: [{ handle: done }] });
  yield sys.recv(done);
}`,
    "a.ts": `${HEAD}import b from "./b.ts" with { type: "image" };
export default function* main(sys) {
  const os = start(sys);
  try { yield* os.image(b); } catch (error) { yield* os.print(error.message); }
  yield sys.send(os.handed[0], 0);
}`,
    "b.ts": starter([]),
  });
  t.same(await ran(file), [
    "image b.ts: ERR_NOT_FOUND, this process was started without the images that its own imports",
    "0",
  ]);
});

/** Runs what it was handed, and hands the second and the plain one on to the first. */
const RUNS_HANDED = `${HEAD}import { endProcess, spawnThread } from "@capos/libos";
import own from "./own.ts" with { type: "image" };
function* run(os, image, name, gifts = []) {
  const done = yield* os.endpoint();
  const process = yield* spawnProcess(os, {
    ...{ image, name, memoryBits: 23, threads: 64, args: ["23"], gifts: [{ handle: done }, ...gifts] },
  });
  yield os.sys.recv(done);
  yield* endProcess(os, process);
}
export default function* main(sys) {
  const os = start(sys);
  const [first, plain, second, done] = os.handed;
  if (os.threadIndex > 0) {
    yield* os.print(\`in a thread \${(yield* os.image(first)).assets.length}\`);
    yield sys.send(done, 0);
    return 0;
  }
  yield* run(os, plain, "plain");
  yield* run(os, second, "second");
  yield* run(os, own);
  yield* os.print(\`\${(yield* os.image(first)).assets.length} \${(yield* os.image(plain)).assets.length}\`);
  const ended = yield* os.endpoint();
  yield* spawnThread(os, { handed: [first, plain, second, ended] });
  yield sys.recv(ended);
  yield* run(os, first, "giver", [yield* os.image(second), { handle: plain }]);
  const copy = yield* os.copy(first, 255);
  yield* os.print(\`\${(yield* os.image(copy)).assets.length}\`);
}`;

for (const process of ["this", "own"] as const)
  t.test(`images that are handed to a program in ${process} process bring what they import`, async (t) => {
    const main = write(t, {
      "main.ts": RUNS_HANDED,
      "own.ts": starter([]),
      "plain.ts": starter([]),
      "first.ts": `${HEAD}import a from "./a.ts" with { type: "image" };
import b from "./b.ts" with { type: "image" };
export default function* main(sys) {
  const os = start(sys);
  const [done, given] = os.handed;
  for (const image of [a, b, ...(given === undefined ? [] : [given])]) {
    const ended = yield* os.endpoint();
    yield* spawnProcess(os, { image, memoryBits: 20, threads: 16, args: ["20"], gifts: [{ handle: ended }] });
    yield sys.recv(ended);
  }
  yield* os.print(os.name);
  yield sys.send(done, 0);
}`,
      "second.ts": starter(["b.ts"], "true"),
      "a.ts": starter([]),
      "b.ts": starter(["a.ts"], "true"),
    });
    const folder = dirname(main);
    const own: string[] = [];
    await using apart = await boot({
      ...({ cores: 2, memoryMiB: 128, logLevel: "silent", process } as const),
      onConsole: (line) => void own.push(line),
    });
    const [first, plain, second] = await Promise.all(
      ["first.ts", "plain.ts", "second.ts"].map((name) => compileGuest(join(folder, name))),
    );
    const { status, fault } = await apart.run(main, {
      ...{ handed: [first!, plain!, second!], untyped: 2 ** 25, timeoutMs: 60_000 },
    });
    t.same(
      [...own, fault, status],
      [
        ...["plain", "a.ts", "b.ts", "second", "own.ts", "2 0"],
        "in a thread 2",
        ...["a.ts", "a.ts", "b.ts", "a.ts", "b.ts", "giver", "giver"],
        ...["0", "", 0],
      ],
    );
  });

t.test("a marker that a guest makes up opens nothing", async (t) => {
  const file = write(t, {
    "main.ts": `${HEAD}export default function* main(sys) {
  const os = start(sys);
  for (const index of [0, -1, 0.5, NaN, 1e9])
    try { yield* os.print(JSON.stringify(yield* os.image({ image: "x", index, assets: [] }))); }
    catch (error) { yield* os.print(error.name); }
}`,
  });
  t.same(await ran(file), [...Array(5).fill("IpcError"), "0"]);
});

t.test("images that are imported work in a process of its own", async (t) => {
  const own: string[] = [];
  await using apart = await boot({
    ...({ cores: 2, memoryMiB: 64, logLevel: "silent", process: "own" } as const),
    onConsole: (line) => void own.push(line),
  });
  const file = write(t, { "main.ts": starter(["a.ts"]), "a.ts": starter([]) });
  t.equal((await apart.run(file)).status, 0);
  t.same(own, ["a.ts", "main.ts"]);
});

t.test("programs that import images leave nothing of them behind", async (t) => {
  const file = write(t, { "main.ts": starter(["a.ts"]), "a.ts": starter([]) });
  await ran(file);
  const used = async () => {
    const { cspaces, processes } = await machine.inspect();
    return [processes.length, cspaces.map(({ capabilities }) => capabilities.length)];
  };
  const before = await used();
  for (let i = 0; i < 5; i++) await ran(file);
  t.same(await used(), before);
});
