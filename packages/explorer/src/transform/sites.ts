/** The places of accesses: numbered, with the file and line that source maps lead to. */
import { originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import type { Site } from "../explore/runtime.js";
import type { Bundle } from "./bundle.js";
import type { Tree } from "./syntax-tree.js";

export class Sites {
  readonly list: Site[] = [];
  private readonly map: TraceMap;

  constructor(bundle: Bundle) {
    this.map = new TraceMap(bundle.map);
  }

  /** Answers the number of the place. */
  add(node: Tree, functionName: string): number {
    return this.list.push(this.siteOf(node, functionName)) - 1;
  }

  siteOf(node: Tree, functionName: string): Site {
    const start = node.loc!.start;
    const { source, line, column } = originalPositionFor(this.map, start);
    if (source === null)
      return { file: "(bundle)", line: start.line, column: start.column + 1, function: functionName };
    return { file: source, line, column: column + 1, function: functionName };
  }
}
