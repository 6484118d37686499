/** Messages that a grace period must not leave unread: whoever has passed it has read what was sent before it was asked for. */
import { InitSlot } from "@capos/abi";
import { CoreArea, coreArea } from "@capos/hal";
import { debug } from "@capos/libos";
import type { Machine } from "../machine.js";
import type { Judgement } from "../scenario.js";

/**
 * Two guests of one core. One sends to core 1, through the endpoint whose handle is given; the other asks for a grace
 * period, and notes how many lines core 1 had not read that were in its ring when it was asked for.
 */
export function sendAndAsk(machine: Machine, from: number, service: number): void {
  const { i32, memory } = machine;
  const kernel = machine.handle(InitSlot.DEBUG);
  machine.guest(
    from,
    function* (sys) {
      yield sys.send(service);
    },
    { name: "sender" },
  );
  machine.guest(
    from,
    function* (sys, { look, note }) {
      // Where this core writes is its own.
      const written = i32[coreArea(memory, from) + CoreArea.RING_WRITE + 1];
      yield* debug.gracePeriod(sys, kernel);
      note("unread", written - (yield* look(coreArea(memory, 1) + CoreArea.RING_READ + from)));
    },
    { name: "asker" },
  );
}

/** What must be seen at the end. The other core may have read more than there was then. */
export const allRead: NonNullable<Judgement["seen"]> = ({ seen }) =>
  Number(seen.get("unread")) <= 0 ? null : "a message was not read";
