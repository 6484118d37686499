/** Says that a program waits for ever: that nothing happens any more looks like much work, from outside. */
import type { CaposMachine } from "@capos/machine";

/** Between two looks. */
const LOOK_MS = 1000;

/** Looks at a machine until its programs stand still, and tells then who waits for what. Gives what ends the looking. */
export function watchStandstill(machine: CaposMachine, tell: (waits: readonly string[]) => void): () => void {
  let before = "";
  let isLooking = false;
  const timer = setInterval(async () => {
    if (isLooking) return;
    isLooking = true;
    // A machine that has ended has nobody who waits.
    const seen = await machine.standstill().catch(() => null);
    isLooking = false;
    const now = seen === null ? "" : JSON.stringify(seen);
    if (seen !== null && now === before) {
      clearInterval(timer);
      tell(seen.waits);
    }
    before = now;
  }, LOOK_MS).unref();
  return () => clearInterval(timer);
}
