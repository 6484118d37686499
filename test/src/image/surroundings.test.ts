/** What an image is made of: the guest's own files, and nothing that lies around them. */
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { buildImage, GuestBuildError } from "@capos/image";
import t, { type Test } from "tap";

type Files = Readonly<Record<string, string | Uint8Array>>;

function write(t: Test, files: Files): string {
  const folder = t.testdir();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** Builds a guest that must be refused; gives the line that says why. */
async function refused(file: string, root?: string): Promise<string> {
  try {
    await buildImage(file, { ...(root !== undefined && { root }) });
  } catch (error) {
    if (error instanceof GuestBuildError) return error.message;
    throw error;
  }
  return "it was built";
}

/** Notices what configuration could change: fields, enums, order of effects, names, how a module is read. */
const GUEST: Files = {
  "a/guest/main.ts": `
    import "./side.js";
    import { log } from "./shared.js";
    import inner from "./inner/index.js";
    import data from "./data.json" with { type: "json" };
    class Base { set x(value: number) { log.push("setter" + value) } }
    class Derived extends Base { x = 1; declare y: number }
    export default function* main() { return [log, inner, data, new Derived().x] }`,
  "a/guest/side.js": 'import { log } from "./shared.js"; log.push("effect of side");',
  "a/guest/shared.js": "export const log = [];",
  "a/guest/inner/index.ts": "export default 7;",
  "a/guest/data.json": '{"a": 1}',
};

const PACKAGES: Readonly<Record<string, object>> = {
  "sideEffects: false": { sideEffects: false },
  "sideEffects: a list": { sideEffects: ["./main.ts"] },
  "type: commonjs": { type: "commonjs" },
  "type: module": { type: "module" },
  "browser: another file": { browser: { "./side.js": false, "./inner/index.js": "./shared.js" } },
  "main and module": { main: "../shared.js", module: "../shared.js" },
  exports: { name: "guest", exports: { ".": "./shared.js" }, imports: { "#x": "./shared.js" } },
};

const CONFIGURATIONS: Readonly<Record<string, object>> = {
  useDefineForClassFields: { compilerOptions: { useDefineForClassFields: false } },
  target: { compilerOptions: { target: "ES5" } },
  paths: { compilerOptions: { baseUrl: ".", paths: { "*": ["./inner/*"], "./side.js": ["./shared.js"] } } },
  jsx: { compilerOptions: { jsx: "preserve", jsxFactory: "h" } },
  "extends nothing": { extends: "./nothing.json" },
  "alwaysStrict, decorators": { compilerOptions: { alwaysStrict: true, experimentalDecorators: true } },
  verbatimModuleSyntax: {
    compilerOptions: { verbatimModuleSyntax: true, importsNotUsedAsValues: "preserve" },
  },
};

/** What may lie around a guest, by where and what. */
function surroundings(): [string, Files][] {
  const found: [string, Files][] = [];
  for (const folder of ["a/guest", "a", ".", "a/guest/inner"]) {
    const at = (name: string) => join(folder, name);
    for (const [what, value] of Object.entries(PACKAGES))
      found.push([`package.json, ${what}, in ${folder}`, { [at("package.json")]: JSON.stringify(value) }]);
    for (const [what, value] of Object.entries(CONFIGURATIONS)) {
      const text = JSON.stringify(value);
      found.push([
        `tsconfig.json, ${what}, in ${folder}`,
        { [at("tsconfig.json")]: text, [at("jsconfig.json")]: text },
      ]);
    }
    for (const name of ["package.json", "tsconfig.json", ".npmrc", ".pnp.cjs", ".pnp.data.json"])
      found.push([`${name} that is broken, in ${folder}`, { [at(name)]: "{ broken" }]);
    found.push([
      `packages in node_modules, in ${folder}`,
      {
        [at("node_modules/@capos/libos/index.js")]: "export const start = 1;",
        [at("node_modules/@capos/libos/package.json")]: '{"main": "index.js"}',
        [at("node_modules/@capos/abi/index.js")]: "export const Trap = 1;",
      },
    ]);
  }
  return found;
}

t.test("nothing that lies beside or above a guest's files changes its image", async (t) => {
  const files = {
    ...GUEST,
    "a/guest/main.ts": `import "@capos/libos"; ${GUEST["a/guest/main.ts"] as string}`,
  };
  const plain = await buildImage(join(write(t, files), "a/guest/main.ts"));
  t.match(plain.code, /effect of side/);
  for (const [what, others] of surroundings()) {
    await t.test(what, async (t) => {
      const image = await buildImage(join(write(t, { ...files, ...others }), "a/guest/main.ts"));
      t.equal(image.code, plain.code);
    });
  }
});

t.test("nothing in the environment changes an image", (t) => {
  const folder = write(t, { ...GUEST, "modules/left/index.js": "export default 1;" });
  const file = join(folder, "a/guest/main.ts");
  const program = `import { buildImage } from ${JSON.stringify(import.meta.resolve("@capos/image"))};
    process.stdout.write((await buildImage(${JSON.stringify(file)})).code)`;
  const codeIn = (env: Readonly<Record<string, string>>): string =>
    execFileSync(process.execPath, ["--input-type=module", "-e", program], {
      env: { ...process.env, ...env },
      encoding: "utf8",
    });
  const plain = codeIn({});
  for (const [name, value] of [
    ["NODE_PATH", join(folder, "modules")],
    ["NODE_ENV", "production"],
    ["TSCONFIG", "tsconfig.json"],
  ] as const)
    t.equal(codeIn({ [name]: value }), plain, name);
  t.end();
});

t.test("a package is not found by its name, whatever configuration says where it is", async (t) => {
  const folder = write(t, {
    "main.ts": 'import x from "#x"; export default function* main() { return x }',
    "package.json": JSON.stringify({ imports: { "#x": "./x.js" } }),
    "x.js": "export default 1;",
  });
  t.match(await refused(join(folder, "main.ts")), /main\.ts:1:\d+: cannot import "#x"/);
});

const SECRET = "the user's own";
/** Imports that lead out of the folder `top/guest`. */
const LEAVING: Readonly<Record<string, string>> = {
  "a path of two dots": "../secret.json",
  "two dots behind a folder": "./lib/../../secret.json",
  "a path that leaves and comes back": "../other/secret.json",
  "a link to a file": "./link.json",
  "a link to a folder": "./out/secret.json",
  "a link to a link": "./again.json",
  "a link in a folder of its own": "./lib/deep.json",
  "a link with another ending": "./code.js",
  "without an ending": "../secret",
  "a folder's index": "../other",
  "two dots alone": "..",
  "nothing that is there": "../nothing.json",
  "a file of the process's": "./environ.json",
};

t.test("a guest can import no file outside of its entry file's folder", async (t) => {
  const files: Record<string, string> = {
    "top/secret.json": JSON.stringify(SECRET),
    "top/secret.js": `export default ${JSON.stringify(SECRET)};`,
    "top/other/secret.json": JSON.stringify(SECRET),
    "top/other/index.js": `export default ${JSON.stringify(SECRET)};`,
    "top/index.js": `export default ${JSON.stringify(SECRET)};`,
    "top/guest/lib/x.ts": "export default 1;",
  };
  for (const [what, path] of Object.entries(LEAVING)) {
    await t.test(what, async (t) => {
      const source = `import x from ${JSON.stringify(path)};\nexport default function* main() { return x }`;
      const folder = join(write(t, { ...files, "top/guest/main.ts": source }), "top");
      const guest = join(folder, "guest");
      symlinkSync("../secret.json", join(guest, "link.json"));
      symlinkSync("..", join(guest, "out"));
      symlinkSync("link.json", join(guest, "again.json"));
      symlinkSync(join(folder, "secret.json"), join(guest, "lib/deep.json"));
      symlinkSync("../secret.js", join(guest, "code.js"));
      symlinkSync("/proc/self/environ", join(guest, "environ.json"));
      const message = await refused(join(guest, "main.ts"));
      t.match(
        message,
        /main\.ts:1:15: cannot import ".*": a guest's files are below .*; --root names another/,
      );
      t.notMatch(message, SECRET);
      if (/^\.\.\/(secret|other)/.test(path))
        t.match(
          (await buildImage(join(guest, "main.ts"), { root: folder })).code,
          SECRET,
          "a wider root has it",
        );
    });
  }
});

t.test("links inside of the root are followed, to one module each", async (t) => {
  const folder = write(t, {
    "main.ts": `import { a } from "./a.js"; import { a as b } from "./b.js"; import { a as c } from "./in/a.js";
      export default function* main() { return a === b && b === c }`,
    "a.js": "export const a = { only: 'once' };",
  });
  symlinkSync("a.js", join(folder, "b.js"));
  symlinkSync(".", join(folder, "in"));
  const { code } = await buildImage(join(folder, "main.ts"));
  t.equal(code.split("once").length, 2);
  symlinkSync(join(folder, "main.ts"), join(write(t, {}), "link.ts"));
});

t.test("an entry file that is a link has its files where the link leads", async (t) => {
  const folder = write(t, {
    "real/main.ts": 'import x from "./x.js"; export default function* main() { return x }',
    "real/x.ts": 'export default "beside the real one";',
    "bin/x.ts": 'export default "beside the link";',
  });
  symlinkSync("../real/main.ts", join(folder, "bin/main.ts"));
  t.match((await buildImage(join(folder, "bin/main.ts"))).code, /beside the real one/);
});

t.test("a root that is none is refused in one line", async (t) => {
  const folder = write(t, { "a/main.ts": "export default function* main() {}", "b/x.ts": "" });
  const file = join(folder, "a/main.ts");
  t.match(await refused(file, join(folder, "c")), /^root .*: there is no such file$/);
  t.match(await refused(file, join(folder, "b/x.ts")), /^root .*: not a folder$/);
  t.match(await refused(file, join(folder, "b")), /main\.ts: not below the root, /);
});

t.test("an import names a file as it is, with an ending, compiled, or a folder's index", async (t) => {
  for (const [path, name] of [
    ["./x.ts", "x.ts"],
    ["./x.js", "x.ts"],
    ["./x.mjs", "x.mts"],
    ["./x", "x.ts"],
    ["./x", "x.js"],
    ["./x", "x.json"],
    ["./x.y", "x.y.ts"],
    ["./x/", "x/index.ts"],
    ["./x", "x/index.js"],
    [".", "index.ts"],
    ["./", "index.mts"],
    ["./x", "x/index.json"],
    ["./a b?c#d.js", "a b?c#d.js"],
  ] as const) {
    await t.test(`${path} is ${name}`, async (t) => {
      const text = name.endsWith(".json") ? '"found"' : 'export default "found";';
      const source = `import x from ${JSON.stringify(path)}; export default function* main() { return x }`;
      t.match(
        (await buildImage(join(write(t, { "main.ts": source, [name]: text }), "main.ts"))).code,
        /"found"/,
      );
    });
  }
});

/** Packages as npm lays them out, one of them in another's folder. */
const INSTALLED: Files = {
  "node_modules/good/package.json": JSON.stringify({
    name: "good",
    exports: { import: "./main.mjs" },
    sideEffects: false,
  }),
  "node_modules/good/main.mjs":
    'import { two } from "inner"; import { one } from "./one.mjs"; export const three = one + two;',
  "node_modules/good/one.mjs": "export const one = 1;",
  "node_modules/good/node_modules/inner/package.json": JSON.stringify({ name: "inner", main: "lib/index" }),
  "node_modules/good/node_modules/inner/lib/index.js": "export const two = 2;",
  "node_modules/@of/promises/package.json": JSON.stringify({ name: "@of/promises", module: "main.js" }),
  "node_modules/@of/promises/main.js": "\nexport const later = async () => 1;",
  "node_modules/old/index.js": "\nmodule.exports = 1;",
  "node_modules/host/index.js": "// Needs Node.\nimport fs from 'node:fs'; export default fs;",
  "node_modules/outer/index.js": "export * from 'middle';",
  "node_modules/middle/index.js": "export * from '@of/promises';",
  "node_modules/leaves/index.js": "export { one } from '../good/one.mjs';",
};

t.test("a package that needs nothing of a host is part of a guest that imports it by name", async (t) => {
  const main = 'import { three } from "good"; export default function* main() { return three; }';
  const { code } = await buildImage(join(write(t, { ...INSTALLED, "src/main.ts": main }), "src/main.ts"));
  t.match(code, /one \+ two/);
});

t.test("what is wrong in a package is told with its place there, and which imports led to it", async (t) => {
  const wrong: Readonly<Record<string, RegExp>> = {
    "@of/promises":
      /promises.main\.js:2:22: async functions do not work in a guest: .* \(.*main\.ts imports "@of\/promises"\)$/,
    outer:
      /promises.main\.js:2:22: async .* \(.*main\.ts imports "outer", which imports "middle", which imports "@of\/promises"\)$/,
    old: /old.index\.js:1:1: require and module\.exports do not work .* \(.*main\.ts imports "old"\)$/,
    host: /host.index\.js:2:16: cannot import "node:fs": .* \(.*main\.ts imports "host"\)$/,
    leaves:
      /leaves.index\.js:1:21: cannot import "\.\.\/good\/one\.mjs": .* \(.*main\.ts imports "leaves"\)$/,
    absent: /main\.ts:1:20: cannot import "absent": no such package is installed; /,
    "good/one.mjs": /main\.ts:1:20: cannot import "good\/one\.mjs": no such package is installed; /,
  };
  for (const [name, line] of Object.entries(wrong)) {
    const main = `import * as x from "${name}"; export default function* main() { return x; }`;
    const file = join(write(t, { ...INSTALLED, "src/main.ts": main }), "src/main.ts");
    t.match(await refused(file), line, name);
  }
});

t.test("a guest that lies in a package, and imports that, is told of its own mistake", async (t) => {
  const folder = write(t, {
    "node_modules/self/package.json": JSON.stringify({ name: "self", exports: "./main.mjs" }),
    "node_modules/self/main.mjs": 'import "self"; export default async function main() {}',
  });
  t.match(
    await refused(join(folder, "node_modules/self/main.mjs")),
    /self.main\.mjs:1:\d+: async functions .* \(.*main\.mjs imports "self"\)$/,
  );
});
