/**
 * Arrows from a message's send to its delivery to its reply, across the cores' tracks. They are drawn when the
 * message has come to its end, so that each that begins ends.
 *
 * Times between two readings of the clock are estimates (see docs/tracing.md), so that a message may seem to arrive
 * before it was sent. The ends of arrows are then moved, within the slices that they belong to.
 */
import { isCall } from "@capos/abi";
import { TraceEvent } from "@capos/kernel/trace-events";
import type { Decoded } from "@capos/libos";
import type { TraceRecord } from "@capos/trace";
import type { Canvas, Span } from "./canvas.js";
import type { CoreTracks } from "./core-tracks.js";

interface Point {
  readonly core: number;
  timeNs: number;
  readonly span: Span;
}

interface Message {
  isCall: boolean;
  /** Sent and delivered in one. */
  passed: boolean;
  send: Point | null;
  deliver: Point | null;
  reply: Point | null;
  answered: Point | null;
  /** The core that the reply goes to. */
  home: number;
  title: string;
  request: Decoded | null;
}

/** Messages that are followed at one time; the oldest is given up then. */
const MOST_OPEN = 100_000;

export class Flows {
  readonly #open = new Map<number, Message>();
  /** Messages that never came to their end in the trace. */
  unfinished = 0;
  /** Arrows that point back in time all the same. */
  backwards = 0;

  constructor(
    private readonly canvas: Canvas,
    private readonly cores: CoreTracks,
  ) {}

  /** What the request of a message was, null if that is not known. */
  requestOf(id: number): Decoded | null {
    return this.#open.get(id)?.request ?? null;
  }

  /** Says what a message is about. */
  describe(id: number, title: string, request: Decoded | null): void {
    const message = this.#open.get(id);
    if (message === undefined) return;
    message.title = title;
    message.request = request;
  }

  event({ ring, timeNs, event, fields }: TraceRecord): void {
    const id = fields[0];
    const here = (name: string): Point => ({
      core: ring,
      timeNs,
      span: this.cores.spanAt(ring, timeNs, name),
    });
    switch (event) {
      case TraceEvent.SEND: {
        const message = this.#of(id);
        message.send = here("send");
        message.isCall = isCall(fields[3]);
        break;
      }
      case TraceEvent.PASS: {
        const message = this.#of(id);
        message.send = here("pass");
        message.passed = true;
        message.isCall = isCall(fields[4]);
        break;
      }
      case TraceEvent.DELIVER:
        this.#of(id).deliver = here("deliver");
        break;
      case TraceEvent.REPLY: {
        const message = this.#of(id);
        message.reply = here("reply");
        message.home = fields[4];
        break;
      }
      case TraceEvent.ANSWERED:
        this.#of(id).answered = here("answered");
        break;
      default:
        return;
    }
    const message = this.#open.get(id)!;
    if (isComplete(message)) {
      this.#open.delete(id);
      this.#draw(id, message);
    }
  }

  /** Draws what there is of the others. */
  end(): void {
    for (const [id, message] of this.#open) {
      this.unfinished++;
      if (message.send !== null) this.#draw(id, message);
    }
    this.#open.clear();
  }

  #of(id: number): Message {
    let message = this.#open.get(id);
    if (message === undefined) {
      message = {
        ...{ isCall: false, passed: false, home: -1, title: "", request: null },
        ...{ send: null, deliver: null, reply: null, answered: null },
      };
      this.#open.set(id, message);
      if (this.#open.size > MOST_OPEN) {
        this.unfinished++;
        this.#open.delete(this.#open.keys().next().value!);
      }
    }
    return message;
  }

  #draw(id: number, { send, deliver, reply, answered, title, isCall }: Message): void {
    const points = [send, deliver, reply, answered].filter((point) => point !== null);
    if (points.length < 2) return;
    for (let i = 1; i < points.length; i++) this.#order(points[i - 1], points[i]);
    const kind = isCall ? "call" : "send";
    const pid = this.canvas.coresPid;
    this.canvas.flow(
      id >>> 0,
      title === "" ? kind : `${kind} ${title}`,
      points.map(({ core, timeNs }) => ({ pid, tid: core, timeNs })),
    );
  }

  /** Has one point not before the other, if their slices allow it. */
  #order(first: Point, second: Point): void {
    if (second.timeNs < first.timeNs) second.timeNs = Math.min(first.timeNs, second.span.endNs);
    if (second.timeNs < first.timeNs) first.timeNs = Math.max(second.timeNs, first.span.startNs);
    if (second.timeNs < first.timeNs) this.backwards++;
  }
}

function isComplete({ isCall, passed, send, deliver, reply, answered, home }: Message): boolean {
  if (send === null || (deliver === null && !passed)) return false;
  if (!isCall) return true;
  return reply !== null && (reply.core === home || answered !== null);
}
