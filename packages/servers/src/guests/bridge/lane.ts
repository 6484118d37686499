/**
 * A lane: a thread of the bridge's that makes calls for the host, so that none of them keeps the others waiting.
 *
 * It passes messages on as they are. It calls home with what its last call was answered with (nothing the first time),
 * and is answered with the next message to send. Capabilities that came stay in its window, which are the first of
 * its slots: who spawned it shares them, and takes them there. The bridge ends a lane that waits for what is not wanted.
 */
import { Err, MAX_MESSAGE_CAPABILITIES } from "@capos/abi";
import type { Os, Steps } from "@capos/libos";

/** Slots that a lane has: a window for what it is to send, and one for what it is answered. */
export const LANE_SLOTS = 2 * MAX_MESSAGE_CAPABILITIES;

/** @param os its `handed`: home, home for an answer that brought capabilities, and whom it calls */
export function* runLane(os: Os): Steps<number> {
  const { sys, slots, handed } = os;
  const [home, homeWith, target] = handed as [number, number, number];
  const answered = slots.take(MAX_MESSAGE_CAPABILITIES);
  const given = slots.take(MAX_MESSAGE_CAPABILITIES);
  let count = 0;
  let brought = 0;
  for (;;) {
    sys.receiveInto(given, MAX_MESSAGE_CAPABILITIES);
    count = yield sys.call(brought === 0 ? home : homeWith, count);
    if (count < 0) return count;
    const carried: number[] = [];
    for (let i = 0; i < sys.arrived(); i++) carried.push(sys.capability(i));
    sys.receiveInto(answered, MAX_MESSAGE_CAPABILITIES);
    let trap = sys.call(target, count, ...carried);
    for (let i = 0; i < carried.length; i++) trap = sys.moved(trap, i);
    count = yield trap;
    brought = count > 0 ? sys.arrived() : 0;
    if (count > 0) continue;
    // What the kernel says of a call that went wrong is what a server would: one word below zero.
    sys.words[0] = count === 0 ? Err.RANGE : count;
    count = 1;
  }
}
