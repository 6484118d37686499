/** Reads lines until there are no more. */
import { start } from "capos/guest";

export default function* main(sys) {
  const os = start(sys);
  yield* os.print("waiting");
  while ((yield* os.readLine()) !== null);
  return 0;
}
