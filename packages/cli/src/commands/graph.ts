/** `capos-smp graph SYSTEM`: draws who can reach whom in a system. */
import { visibleJson, visibleLines } from "@capos/abi";
import { checkOutput, writeOutput } from "../output-file.js";
import type { Session } from "../session.js";
import { dotOf, graphOf } from "../system/graph.js";
import { readSystem } from "../system/read.js";

export interface GraphFlags {
  readonly out: string;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly dot?: boolean;
}

/** Writes the picture, or prints the graph; answers its exit status. */
export async function graphCommand(file: string, flags: GraphFlags, { stdout }: Session): Promise<number> {
  const prints = flags.json === true || flags.dot === true;
  if (!prints) checkOutput(flags.out, flags.force === true);
  const graph = graphOf(await readSystem(file));
  if (flags.json === true) stdout.write(`${visibleJson(graph)}\n`);
  else if (flags.dot === true) stdout.write(visibleLines(dotOf(graph)));
  else {
    const { pictureOf } = await import("../system/picture.js");
    writeOutput(flags.out, pictureOf(graph), flags.force === true);
    stdout.write(`wrote ${visibleLines(flags.out)}\n`);
  }
  return 0;
}
