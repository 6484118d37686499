/**
 * What is left to explore: units that workers take, and the places above them, which any worker's
 * findings may add to. Goes to a file and back.
 */
import { toExplore } from "./explorer.js";
import type { BacktrackRequest, FrameState, SliceResult, Strategy, Unit } from "./types.js";

/** A place that belongs to no worker. */
interface Place {
  enabled: number;
  /** To be explored or explored, and given out (done or in a unit). */
  backtrack: number;
  taken: number;
  asleep: number;
  /** Units open below it: at 0 nobody can ask for it any more. */
  open: number;
}

/** Schedules that one unit of a strategy by chance has. */
const CHUNK = 256;

export interface SavedFrontier {
  readonly units: readonly Unit[];
  readonly places: readonly (readonly [string, Place])[];
  readonly nextSchedule: number;
}

export class Frontier {
  private readonly units: Unit[] = [];
  private readonly places = new Map<string, Place>();
  private nextSchedule = 0;
  private outstanding = 0;

  /** `schedules` limits strategies by chance. */
  constructor(
    private readonly strategy: Strategy,
    private readonly schedules: number,
    saved?: SavedFrontier,
  ) {
    if (saved !== undefined) {
      this.units.push(...saved.units);
      for (const [path, place] of saved.places) this.places.set(path, { ...place });
      this.nextSchedule = saved.nextSchedule;
    } else if (!this.isByChance) this.units.push({ path: "", take: -1, asleep: 0, first: 0, count: 0 });
  }

  private get isByChance(): boolean {
    return this.strategy.kind === "pct" || this.strategy.kind === "random";
  }

  /** A unit to explore; undefined if there is none (now: `isDone` tells whether there may be one later). */
  next(): Unit | undefined {
    let unit = this.units.pop();
    if (unit === undefined && this.isByChance && this.nextSchedule < this.schedules) {
      const count = Math.min(CHUNK, this.schedules - this.nextSchedule);
      unit = { path: "", take: -1, asleep: 0, first: this.nextSchedule, count };
      this.nextSchedule += count;
    }
    if (unit !== undefined) this.outstanding++;
    return unit;
  }

  get isDone(): boolean {
    const more = this.isByChance && this.nextSchedule < this.schedules;
    return this.units.length === 0 && this.outstanding === 0 && !more;
  }

  /** Units that wait for a worker. */
  get open(): number {
    return this.units.length;
  }

  /** Puts back a unit that nobody explored. */
  putBack(unit: Unit): void {
    this.outstanding--;
    this.units.push(unit);
  }

  /** Takes what a worker did of a unit. */
  give(unit: Unit, result: SliceResult): void {
    this.outstanding--;
    if (this.isByChance) {
      if (result.done < unit.count && result.failure === null)
        this.units.push({ ...unit, first: unit.first + result.done, count: unit.count - result.done });
      return;
    }
    for (const frame of result.frames) this.place(frame);
    for (const request of result.requests) this.request(request);
    // The places of the unit lose it after what it led to was added.
    if (unit.take >= 0) this.count(unit.path, -1);
  }

  private place(frame: FrameState): void {
    const { path, enabled, backtrack, done, asleep } = frame;
    const place: Place = { enabled, backtrack, taken: done, asleep, open: 0 };
    this.places.set(path, place);
    this.issue(path, place);
  }

  private request({ path, candidates, preferred }: BacktrackRequest): void {
    const place = this.places.get(path);
    if (place === undefined) throw new Error(`nothing is known of the place at step ${path.length}`);
    place.backtrack |= toExplore(
      place.enabled,
      place.backtrack | place.taken,
      place.asleep,
      candidates,
      preferred,
    );
    this.issue(path, place);
  }

  /** Makes units of what is to be explored at a place and was not given out. Of siblings the later sleep on the earlier. */
  private issue(path: string, place: Place): void {
    for (;;) {
      const left = place.backtrack & ~place.taken & ~place.asleep;
      if (left === 0) return;
      const take = 31 - Math.clz32(left & -left);
      const asleep = this.strategy.kind === "dpor" ? place.asleep | place.taken : 0;
      this.units.push({ path, take, asleep, first: 0, count: 0 });
      place.taken |= 1 << take;
      this.count(path, 1);
    }
  }

  /** A unit at a path was opened or closed: places with none below them are forgotten. */
  private count(path: string, by: number): void {
    for (let length = path.length; length >= 0; length--) {
      const at = path.slice(0, length);
      const place = this.places.get(at);
      if (place === undefined) continue;
      place.open += by;
      if (place.open === 0) this.places.delete(at);
    }
  }

  toJSON(): SavedFrontier {
    return { units: this.units, places: [...this.places], nextSchedule: this.nextSchedule };
  }
}
