/**
 * Judges a round: whether its history is one that the contract of docs/revocation.md allows.
 *
 * The events are taken apart by what they are about. Each capability gets what was done through it, the
 * instant it came to be, and every revoke of something it came from; that history must be linearizable.
 * So must that of each thread that was ended and of each minted badge. What needs no search is looked
 * at directly: both sides of a message, answers that make no sense, what was counted after the race.
 */
import { Err } from "@capos/abi";
import { checkHistory, type Specification, shortestExcerpt, type Timed } from "@capos/explorer/history";
import { describeEvent, type StressEvent } from "./event.js";
import type { Finding } from "./finding.js";
import { Id, Kind } from "./guests/vocabulary.js";
import { type Journey, joinMessages } from "./journeys.js";
import {
  Authority,
  capability,
  type Deed,
  Descent,
  Doing,
  descendants,
  givenCapability,
  living,
} from "./specifications.js";

/** What is known of a capability in a round. */
interface Holding {
  readonly id: number;
  source: number;
  made: Deed<Authority> | null;
  badge: number;
  readonly deeds: Deed<Authority>[];
}

export interface JudgeOptions {
  /** Whether minted badges are told of by their endpoint, so that it can be judged. */
  readonly hearsOfBadges?: boolean;
}

/** Everything that is wrong with a round; nothing if it is as it should be. */
export function judgeRound(events: readonly StressEvent[], options: JudgeOptions = {}): Finding[] {
  const findings: Finding[] = [];
  const round = new Round(events, joinMessages(events, findings), findings);
  round.checkCapabilities();
  round.checkBadges();
  checkLives(events, findings);
  checkAudits(events, findings);
  if (options.hearsOfBadges === true) round.checkDescendants();
  return findings;
}

/** Answers by which the kernel says that there is no authority. */
function isRefusal(answer: number): boolean {
  return answer === Err.BAD_CAP || answer === Err.REVOKED;
}

/** Answers that have to do with something else than authority, and are right at any time. */
function isNeutral(answer: number): boolean {
  return (
    answer === Err.NO_MEMORY ||
    answer === Err.NO_RESOURCE ||
    answer === Err.BUSY ||
    answer === Err.WOULD_BLOCK ||
    answer === Err.PEER_DIED
  );
}

class Round {
  readonly #holdings = new Map<number, Holding>();
  readonly #revokes = new Map<number, StressEvent[]>();
  /** Threads and processes. */
  readonly #alive = new Set<number>();

  constructor(
    private readonly events: readonly StressEvent[],
    private readonly journeys: readonly Journey[],
    private readonly findings: Finding[],
  ) {
    const delivered = new Set<StressEvent>(journeys.flatMap((journey) => journey.events));
    for (const event of events) this.#take(event, delivered);
    for (const journey of journeys) this.#travel(journey);
  }

  #holding(id: number): Holding {
    let holding = this.#holdings.get(id);
    if (holding === undefined) {
      holding = { id, source: -1, made: null, badge: 0, deeds: [] };
      this.#holdings.set(id, holding);
    }
    return holding;
  }

  #take(event: StressEvent, delivered: ReadonlySet<StressEvent>): void {
    const { kind, id, a, b } = event;
    switch (kind) {
      case Kind.MAKE:
        this.#use(a, event);
        if (b >= 0) this.#make(id, a, event.c, event, [event]);
        break;
      case Kind.USE:
        // What was handed over counts by the instant at which it was.
        if (!delivered.has(event)) this.#use(id, event);
        break;
      case Kind.REVOKE:
        this.#use(id, event);
        this.#noteRevoke(event);
        break;
      case Kind.KILL:
        this.#alive.add(id);
        this.#noteRevoke(event);
        break;
      case Kind.ACT:
        this.#alive.add(id);
        break;
      case Kind.DELETE:
        if (b === Err.OK) this.#add(id, Authority.DELETED, event, [event]);
        else this.#report("delete is answered with OK", [event]);
        break;
      case Kind.SEND_COPY:
      case Kind.SEND_MOVE:
        if (b < 0) this.#report("a message is sent, whatever it carries", [event]);
        break;
      default:
        break;
    }
  }

  #noteRevoke(event: StressEvent): void {
    const known = this.#revokes.get(event.id);
    if (known === undefined) this.#revokes.set(event.id, [event]);
    else known.push(event);
  }

  #report(rule: string, excerpt: readonly StressEvent[]): void {
    this.findings.push({ rule, excerpt });
  }

  #add(id: number, act: Authority, { start, end }: Timed, events: readonly StressEvent[]): Deed<Authority> {
    const deed = { start, end, act, events };
    this.#holding(id).deeds.push(deed);
    return deed;
  }

  #make(id: number, source: number, badge: number, time: Timed, events: readonly StressEvent[]): void {
    const holding = this.#holding(id);
    const made = this.#add(id, Authority.MADE, time, events);
    holding.made ??= made;
    holding.source = source;
    holding.badge = badge;
  }

  /** Something was tried through a capability. */
  #use(id: number, event: StressEvent): void {
    if (event.b >= 0) this.#add(id, Authority.USED, event, [event]);
    else if (isRefusal(event.b)) this.#add(id, Authority.REFUSED, event, [event]);
    else if (!isNeutral(event.b)) {
      const about = this.events.filter(
        (other) => other === event || (other.id === id && other.start <= event.end),
      );
      this.#report("a capability answers as what it is", about);
    }
  }

  #travel(journey: Journey): void {
    const { id, arrivesAs, arrived, moved, events } = journey;
    if (arrivesAs === null) {
      this.#add(id, Authority.USED, journey, events);
      return;
    }
    // It stays behind only if there is nothing to come along.
    const act = !arrived ? Authority.REFUSED : moved ? Authority.MOVED : Authority.USED;
    this.#add(id, act, journey, events);
    if (arrived) this.#make(arrivesAs, id, 0, journey, events);
  }

  /** Each capability's history is one that the contract allows. */
  checkCapabilities(): void {
    for (const holding of this.#holdings.values()) {
      const { id, deeds, made } = holding;
      // Memory is made from processes, in a way, but they are no capabilities.
      if (made === null && this.#alive.has(id)) continue;
      const operations = [...deeds, ...this.#revokesOf(holding)];
      const specification = id === Id.ROUND ? givenCapability : capability;
      this.#judge(
        "no operation through a capability after its revoke, none refused before",
        specification,
        operations,
      );
    }
  }

  /** What the revokes of all that it came from mean for a capability. */
  #revokesOf(holding: Holding): Deed<Authority>[] {
    const deeds: Deed<Authority>[] = [];
    const seen = new Set<number>();
    // `below` is on the way from `above`, which may have been revoked, down to the capability.
    for (let below = holding; below.source >= 0 && !seen.has(below.id); below = this.#holding(below.source)) {
      seen.add(below.id);
      const from = below.made;
      if (from === null) break;
      for (const event of this.#revokes.get(below.source) ?? []) {
        const { start, end, b } = event;
        // Derived after the call: none of its business.
        if (from.start > end) continue;
        const isSure = b >= 0 && (below === holding || from.end <= start);
        let act = Authority.REVOKE_GAVE_UP;
        if (isSure) act = below === holding ? Authority.SOURCE_REVOKED : Authority.ANCESTOR_REVOKED;
        deeds.push({ start, end, act, events: [event] });
      }
    }
    return deeds;
  }

  /** Every message arrived under the badge of what it was sent through. */
  checkBadges(): void {
    for (const { id, arrivesAs, events } of this.journeys) {
      if (arrivesAs !== null) continue;
      const badge = this.#badgeOf(id);
      const delivered = events[events.length - 1];
      const echoed = events[0];
      const wrong = delivered.c !== badge || (events.length > 1 && echoed.c !== 0 && echoed.c !== badge);
      if (wrong) this.#report("a handle names its own capability, never the slot's next tenant", events);
    }
  }

  #badgeOf(id: number): number {
    let holding = this.#holding(id);
    while (holding.badge === 0 && holding.source >= 0 && holding.source !== holding.id)
      holding = this.#holding(holding.source);
    return holding.badge;
  }

  /** Each badge is said to have no senders once, each time that comes true. */
  checkDescendants(): void {
    const minted = [...this.#holdings.values()].filter(({ badge }) => badge !== 0);
    for (const { id } of minted) {
      const operations: Deed<Descent>[] = [];
      for (const holding of this.#holdings.values()) {
        if (holding.id === id || !this.#isBelow(holding, id)) continue;
        if (holding.made === null) continue;
        operations.push({ ...holding.made, act: Descent.GAINED });
        const end = holding.deeds.find(({ act }) => act === Authority.DELETED);
        if (end !== undefined) operations.push({ ...end, act: Descent.LOST });
      }
      for (const event of this.events) {
        const isOver = event.kind === Kind.ROUND_END;
        if (!isOver && !(event.kind === Kind.NO_SENDERS && event.id === id)) continue;
        const { start, end } = event;
        operations.push({ start, end, act: isOver ? Descent.OVER : Descent.HEARD, events: [event] });
      }
      this.#judge(
        "a badge is said to have no senders once, each time that comes true",
        descendants,
        operations,
      );
    }
  }

  #isBelow(holding: Holding, id: number): boolean {
    let at = holding;
    while (at.source >= 0 && at.source !== at.id) {
      if (at.source === id) return true;
      at = this.#holding(at.source);
    }
    return false;
  }

  #judge<State, Act>(
    rule: string,
    specification: Specification<State, Deed<Act>>,
    operations: readonly Deed<Act>[],
  ): void {
    const finding = judge(rule, specification, operations);
    if (finding !== null) this.findings.push(finding);
  }
}

function judge<State, Act>(
  rule: string,
  specification: Specification<State, Deed<Act>>,
  operations: readonly Deed<Act>[],
): Finding | null {
  const verdict = checkHistory(specification, operations);
  if (verdict.outcome === "linearizable") return null;
  if (verdict.outcome === "gave-up")
    return {
      rule: "a history can be judged",
      excerpt: verdict.at.events,
      details: [describeEvent(verdict.at.events[0])],
    };
  const excerpt = shortestExcerpt(specification, operations).flatMap(({ events }) => events);
  return { rule, excerpt: [...new Set(excerpt)] };
}

/** Threads and processes that were ended did nothing afterwards. */
function checkLives(events: readonly StressEvent[], findings: Finding[]): void {
  const lives = new Map<number, Deed<Doing>[]>();
  for (const event of events) if (event.kind === Kind.KILL) lives.set(event.id, []);
  for (const event of events) {
    const { kind, id, end, start } = event;
    const deeds = lives.get(id);
    if (deeds === undefined) continue;
    // An entry is made by the thread itself, at its end.
    if (kind === Kind.ACT) deeds.push({ start: end, end, act: Doing.ACTED, events: [event] });
    else if (kind === Kind.KILL) {
      deeds.push({ start, end, act: Doing.ENDED, events: [event] });
      if (event.b !== Err.OK)
        findings.push({ rule: "ending a thread or process is answered with OK", excerpt: [event] });
    }
  }
  for (const deeds of lives.values()) {
    const finding = judge("a thread or process does nothing after its end", living, deeds);
    if (finding !== null) findings.push(finding);
  }
}

/** What was counted after the race is what it should be. */
function checkAudits(events: readonly StressEvent[], findings: Finding[]): void {
  for (const event of events) {
    if (event.kind === Kind.AUDIT && event.a !== event.c)
      findings.push({ rule: "what is left after a race is what should be", excerpt: [event] });
  }
}
