/** Sees that programs wait for ever: that nothing happens any more looks like much work, from outside. */
import type { CaposMachine } from "@capos/machine";

/** Between two looks. */
const LOOK_MS = 250;

type Standstill = NonNullable<Awaited<ReturnType<CaposMachine["standstill"]>>>;

/**
 * Looks at a machine until its programs stand still, and tells then who waits for what. Gives what ends the looking.
 * @param tell whether that is all there was to look for
 */
export function watchStandstill(machine: CaposMachine, tell: (seen: Standstill) => boolean): () => void {
  let before = "";
  let isLooking = false;
  const timer = setInterval(async () => {
    if (isLooking) return;
    isLooking = true;
    // A machine that has ended has nobody who waits.
    const seen = await machine.standstill().catch(() => null);
    isLooking = false;
    const now = seen === null ? "" : JSON.stringify(seen);
    if (seen !== null && now === before && tell(seen)) clearInterval(timer);
    before = now;
  }, LOOK_MS).unref();
  return () => clearInterval(timer);
}
