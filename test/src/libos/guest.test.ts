import * as abi from "@capos/abi";
import { buildImage } from "@capos/image";
import * as libos from "@capos/libos";
import * as guest from "capos/guest";
import t from "tap";

t.test("capos/guest has each name of abi and libos, and libos' where both have it", (t) => {
  const all: Readonly<Record<string, unknown>> = { ...abi, ...libos };
  t.strictSame(Object.keys(guest).sort(), Object.keys(all).sort());
  for (const [name, value] of Object.entries(guest)) t.equal(value, all[name], name);
  t.end();
});

t.test("a guest finds capos/guest wherever it lies", async (t) => {
  const main = `import { Err, Image, start } from "capos/guest";
    export default function* main(sys) { return Err.DENIED + Image.name.length + start(sys).threadIndex }`;
  const folder = t.testdir({ "main.js": main, node_modules: { capos: { "guest.js": "throw 1" } } });
  const { code } = await buildImage(`${folder}/main.js`);
  t.notMatch(code, /throw 1/);
  t.match(code, /function\* main/);
});

t.test("a guest that imports the host's side is told so", async (t) => {
  const main = 'import { boot } from "capos";\nexport default function* main() { boot() }';
  const folder = t.testdir({ "main.js": main });
  await t.rejects(buildImage(`${folder}/main.js`), {
    message: /main\.js:1:22: cannot import "capos": it is for the host; .*capos\/guest/,
  });
});
