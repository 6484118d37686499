/**
 * Events of the stress suite as the host has them, and where they come from: the histories in a
 * machine's memory, one a core.
 */
import { errorName, HistoryWord, MAX_CORES } from "@capos/abi";
import type { Timed } from "@capos/explorer/history";
import { BootInfo, historyOf, type PhysicalMemory } from "@capos/hal";
import { takeEvent } from "@capos/trace";
import { IDS_PER_ROUND, Id, Kind } from "./guests/vocabulary.js";

/** One operation as a guest recorded it. Times are the machine's, in nanoseconds. */
export interface StressEvent extends Timed {
  readonly core: number;
  readonly thread: number;
  readonly kind: Kind;
  /** A round of one guest, never used twice in a run. */
  readonly round: number;
  /** The number of what it was about, in its round. */
  readonly id: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

/** Takes events out of a machine's histories. */
export class HistoryReader {
  readonly #words: number[] = new Array(HistoryWord.COUNT).fill(0);
  readonly #cores: number;
  readonly #limit: number;

  constructor(private readonly memory: PhysicalMemory) {
    this.#cores = memory.i32[BootInfo.CORES];
    this.#limit = memory.i32[BootInfo.HISTORY_EVENTS];
  }

  /**
   * All that has been written by now. Whatever was written before this call began is in it, whichever core
   * wrote it; of what is written meanwhile, some is.
   */
  take(): StressEvent[] {
    const events: StressEvent[] = [];
    for (let core = 0; core < this.#cores; core++) {
      const history = historyOf(this.memory, core);
      for (let i = 0; i < this.#limit && takeEvent(this.memory, history, this.#limit, this.#words, 0); i++) {
        events.push(eventOf(this.#words));
      }
    }
    return events;
  }
}

function eventOf(words: readonly number[]): StressEvent {
  const object = words[HistoryWord.OBJECT];
  const thread = words[HistoryWord.THREAD];
  return {
    start: words[HistoryWord.START_NS],
    end: words[HistoryWord.END_NS],
    core: thread % MAX_CORES,
    thread: Math.floor(thread / MAX_CORES),
    kind: words[HistoryWord.KIND],
    round: Math.floor(object / IDS_PER_ROUND),
    id: object % IDS_PER_ROUND,
    a: words[HistoryWord.A],
    b: words[HistoryWord.B],
    c: words[HistoryWord.C],
  };
}

/** The name of a capability in a round. */
function nameOf(id: number): string {
  if (id === Id.ROUND) return "what nobody revokes";
  return id === Id.ROOT ? "root" : `#${id}`;
}

/** What an event says, in words. */
export function describeEvent({ kind, id, a, b, c }: StressEvent): string {
  const name = nameOf(id);
  const answer = errorName(b);
  switch (kind) {
    case Kind.ROUND_END:
      return "the round ends";
    case Kind.MAKE:
      return `make ${name} from ${nameOf(a)}${c === 0 ? "" : ` with badge ${c}`}: ${answer}`;
    case Kind.USE:
      return a === 0 ? `use ${name}: ${answer}` : `send message ${a} through ${name}: ${answer}`;
    case Kind.REVOKE:
      return `revoke ${name}: ${answer}`;
    case Kind.DELETE:
      return `delete ${name}: ${answer}`;
    case Kind.SEND_COPY:
      return `send message ${a} with a copy of ${name}: ${answer}`;
    case Kind.SEND_MOVE:
      return `send message ${a} with ${name} itself: ${answer}`;
    case Kind.ARRIVE:
      return `receive message ${a}${c === 0 ? " without a capability" : `, its capability as ${name}`}: ${answer}`;
    case Kind.DELIVER:
      return `serve message ${a}, sent through ${name}, badge ${c}: ${answer}`;
    case Kind.KILL:
      return `end ${name}: ${answer}`;
    case Kind.NO_SENDERS:
      return `hear that ${name} has no senders`;
    case Kind.AUDIT:
      return `look at ${name}: ${c}, ${a} is right`;
    case Kind.ACT:
      return `${name} does ${a} things`;
    default:
      return `event ${kind} of ${name}`;
  }
}
