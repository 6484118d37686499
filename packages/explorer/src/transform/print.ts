/** The text of a rewritten program, with a map to its sources. */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { GenMapping, type Mapping, maybeAddMapping, toEncodedMap } from "@jridgewell/gen-mapping";
import remapping from "@jridgewell/remapping";
import * as astring from "astring";
import type { Bundle } from "./bundle.js";
import type { Tree } from "./syntax-tree.js";

type Print = (node: Tree, state: Printer) => void;

/** astring's own state, as far as it is used here. */
interface Printer {
  write(text: string, node?: Tree): void;
}

const SOURCE = "bundle.js";

/** `program` has places in the bundle. The map is inline, its sources are URLs: a debugger finds them. */
export function print(program: Tree, bundle: Bundle): string {
  const ownMap = new GenMapping({ file: SOURCE });
  const sourceMap = {
    file: SOURCE,
    addMapping: (mapping: Mapping) =>
      maybeAddMapping(ownMap, {
        generated: mapping.generated,
        original: mapping.original!,
        source: SOURCE,
      }),
  };
  const code = astring.generate(program, { sourceMap, generator } as unknown as astring.Options);
  const map = remapping([toEncodedMap(ownMap) as never, bundle.map], () => null);
  map.sources = map.sources.map((path) =>
    path === null ? null : pathToFileURL(resolve(bundle.root, path)).href,
  );
  map.file = null;
  const inline = Buffer.from(map.toString()).toString("base64");
  return `${code}//# sourceMappingURL=data:application/json;base64,${inline}\n`;
}

/** astring's, but with a place for each node that has one (it maps little more than names). */
const generator: Record<string, Print> = Object.fromEntries(
  Object.entries(astring.GENERATOR as unknown as Record<string, Print>).map(([type, printNode]) => [
    type,
    function (this: unknown, node: Tree, state: Printer) {
      if (node.loc) state.write("", node);
      printNode.call(this, node, state);
    },
  ]),
);

/** astring forgets that `(a?.b).c` and `a?.b.c` are different. */
generator.ChainExpression = (node, state) => {
  state.write("(", node);
  generator[node.expression.type].call(generator, node.expression, state);
  state.write(")");
};
