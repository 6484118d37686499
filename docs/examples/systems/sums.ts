/** Has a sum made by a worker on each core: another program, whose file it imports as an image. */
import { type Sys, spawnProcess, start } from "capos/guest";
import { Adding } from "./adding.js";
import worker from "./worker.ts" with { type: "image" };

const PART = 1000;

export default function* main(sys: Sys) {
  const os = start(sys);
  const endpoint = yield* os.endpoint();
  for (let core = 0; core < os.cores; core++)
    yield* spawnProcess(os, {
      image: worker,
      core,
      args: [`${core * PART}`, `${(core + 1) * PART}`],
      gifts: [{ handle: endpoint }],
    });
  let sum = 0;
  let answers = 0;
  yield* Adding.serve(sys, endpoint, {
    sum({ value }, context) {
      sum += value;
      answers++;
      if (answers === os.cores) context.end();
    },
  });
  yield* os.print(`the numbers below ${os.cores * PART} add up to ${sum}`);
  return 0;
}
