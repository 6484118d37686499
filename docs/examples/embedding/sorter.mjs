/** Reads lines until there are no more, and prints them in order. */
import { start } from "capos/guest";

export default function* main(sys) {
  const os = start(sys);
  const lines = [];
  for (let line = yield* os.readLine(); line !== null; line = yield* os.readLine()) lines.push(line);
  for (const line of lines.sort()) yield* os.print(line);
  return 0;
}
