/**
 * Messages of a round: the two sides of each put together, and what of them cannot be.
 *
 * A message is handed over at one instant that lies both in its sender's operation and in its
 * receiver's, so what happened to a capability because of it is known more closely than either side knows it.
 */
import { Err } from "@capos/abi";
import type { Timed } from "@capos/explorer/history";
import type { StressEvent } from "./event.js";
import type { Finding } from "./finding.js";
import { Kind } from "./guests/vocabulary.js";

/** A message that was handed over. */
export interface Journey extends Timed {
  /** What it was sent through, or what was sent along. */
  readonly id: number;
  /** For one with a capability: the number it has on arrival, and whether it arrived. */
  readonly arrivesAs: number | null;
  readonly arrived: boolean;
  readonly moved: boolean;
  readonly events: readonly StressEvent[];
}

/** Answers that say nothing of whether the message was handed over: the other side ended before it answered. */
function leavesOpen(answer: number): boolean {
  return answer === Err.PEER_DIED;
}

interface Sides {
  readonly sent: StressEvent[];
  readonly received: StressEvent[];
}

/** Puts messages together; what is wrong with one goes to `findings`. */
export function joinMessages(events: readonly StressEvent[], findings: Finding[]): Journey[] {
  const bySerial = new Map<number, Sides>();
  const sidesOf = (serial: number): Sides => {
    let sides = bySerial.get(serial);
    if (sides === undefined) {
      sides = { sent: [], received: [] };
      bySerial.set(serial, sides);
    }
    return sides;
  };
  for (const event of events) {
    switch (event.kind) {
      case Kind.USE:
        if (event.a !== 0) sidesOf(event.a).sent.push(event);
        break;
      case Kind.SEND_COPY:
      case Kind.SEND_MOVE:
        sidesOf(event.a).sent.push(event);
        break;
      case Kind.ARRIVE:
      case Kind.DELIVER:
        sidesOf(event.a).received.push(event);
        break;
      default:
        break;
    }
  }
  const journeys: Journey[] = [];
  for (const sides of bySerial.values()) {
    const journey = join(sides, findings);
    if (journey !== null) journeys.push(journey);
  }
  return journeys;
}

function join({ sent, received }: Sides, findings: Finding[]): Journey | null {
  const [from] = sent;
  const [to, again] = received;
  const report = (rule: string) => {
    findings.push({ rule, excerpt: [...sent, ...received].sort((a, b) => a.start - b.start) });
    return null;
  };
  if (again !== undefined) return report("a message arrives once");
  if (to === undefined) {
    const refused = from!.b < 0;
    return refused ? null : report("a message that was sent arrives");
  }
  if (from !== undefined && from.b < 0 && !leavesOpen(from.b))
    return report("a message whose sender was refused does not arrive");
  const start = Math.max(from?.start ?? 0, to.start);
  const end = Math.min(from?.end ?? Number.POSITIVE_INFINITY, to.end);
  if (start > end) return report("a message arrives while it is being sent");
  const events = from === undefined ? [to] : [from, to];
  if (to.kind === Kind.DELIVER) {
    if (from !== undefined && from.id !== to.id) return report("a message arrives as it was sent");
    return { start, end, id: to.id, arrivesAs: null, arrived: false, moved: false, events };
  }
  // A sender that did not live to say what it sent told it to the receiver.
  const id = from?.id ?? to.c - 1;
  if (from === undefined && to.c <= 1) return null;
  const moved = from?.kind === Kind.SEND_MOVE;
  return { start, end, id, arrivesAs: to.id, arrived: to.c > 0, moved, events };
}
