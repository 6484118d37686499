/** Which events a trace has: groups, as the kernel writes them, and single events of these, as they are shown. */

import { TRACE_EVENTS, TRACE_GROUPS, TraceGroup, USUAL_GROUPS } from "@capos/kernel/trace-events";
import { UsageError } from "@capos/machine/errors";
import { ALL_GROUPS, type EventDeclaration, groupOf } from "@capos/trace";
import { unknownName } from "../unknown-name.js";

export interface Selection {
  /** Groups that the kernel writes, a bit each. */
  readonly groups: number;
  /** Numbers of the events that are shown. */
  readonly events: ReadonlySet<number>;
}

/** An event as `trace --list` shows it. */
export interface ListedEvent {
  readonly group: string;
  readonly number: number;
  readonly declaration: EventDeclaration;
}

/** All events, in the order of their numbers. */
export const LISTED_EVENTS: readonly ListedEvent[] = Object.freeze(
  Object.entries(TRACE_EVENTS).map(([key, declaration]) => {
    const number = Number(key);
    return Object.freeze({ group: TRACE_GROUPS[groupOf(number)], number, declaration });
  }),
);

const numbersOf = (wanted: (event: ListedEvent) => boolean): readonly number[] =>
  LISTED_EVENTS.filter(wanted).map(({ number }) => number);

const inGroups = (mask: number) => numbersOf(({ number }) => (mask & (1 << groupOf(number))) !== 0);

const ALL = "all";
const USUAL = "usual";

/** What each name stands for. A group that is called as one of its events stands for all of them. */
const BY_NAME: ReadonlyMap<string, readonly number[]> = new Map([
  ...LISTED_EVENTS.map(({ number, declaration }) => [declaration.name, [number]] as const),
  ...TRACE_GROUPS.slice(1).map((group) => [group, numbersOf((event) => event.group === group)] as const),
  [USUAL, inGroups(USUAL_GROUPS)],
  [ALL, inGroups(ALL_GROUPS)],
]);

/**
 * Reads a list of names with commas between them. A name with a minus before it is left out; where the first is
 * one of these, they are left out of all.
 * @throws UsageError for a name that nothing has, or if nothing is left
 */
export function selectEvents(list = ALL): Selection {
  const names = list.split(",").map((name) => name.trim());
  const events = new Set<number>(names[0].startsWith("-") ? BY_NAME.get(ALL) : []);
  for (const name of names) {
    const isOut = name.startsWith("-");
    for (const number of numbersNamed(isOut ? name.slice(1) : name)) {
      if (isOut) events.delete(number);
      else events.add(number);
    }
  }
  if (events.size === 0) throw new UsageError(`--events: ${list} leaves no event`);
  // Names of processes and threads come from there.
  let groups = 1 << TraceGroup.LIFE;
  for (const number of events) groups |= 1 << groupOf(number);
  return { groups, events };
}

function numbersNamed(name: string): readonly number[] {
  const found = BY_NAME.get(name);
  if (found !== undefined) return found;
  throw unknownName("--events", name, [...BY_NAME.keys()], "trace --list");
}
