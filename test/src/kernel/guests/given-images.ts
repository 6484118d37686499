/** Runs the images that it was given one after the other and prints how each ended. */
import type { Sys } from "@capos/abi";
import { endProcess, spawnProcess, start, waitForProcess } from "@capos/libos";

export default function* main(sys: Sys): Generator<number, number, number> {
  const os = start(sys);
  for (const image of os.handed) {
    const child = yield* spawnProcess(os, { image, name: "given" });
    yield* os.print(String((yield* waitForProcess(os, child)).status));
    yield* endProcess(os, child);
  }
  return 0;
}
