/**
 * How events are declared: once, by the layer that emits them. The writer's types, the decoder and every list of
 * events come from a table of declarations by number.
 *
 * An event's number, below 256, is its group's times eight plus its place in the group: whether a group is traced is
 * one bit of a mask, and the compiler folds the number of that bit. Group 0 is the format's own.
 */

/** Records that are no events: what holds a ring together. */
export const enum Frame {
  /** The first record of each batch: see `ring.ts`. */
  BATCH = 0,
  TIME = 1,
  /** Bytes that belong to the record before. */
  TEXT = 2,
}

/** Where the group stands in an event's number. */
export const GROUP_SHIFT = 3;

/** A mask of every group there can be. */
export const ALL_GROUPS = -1;

/** The group of an event. */
export function groupOf(event: number): number {
  return event >> GROUP_SHIFT;
}

/** Whether a record's number is an event's. */
export function isEvent(number: number): boolean {
  return groupOf(number) !== 0;
}

export interface FieldDeclaration<Kind extends string = string> {
  readonly name: string;
  /** What the field's number is, which is how it is shown. */
  readonly kind: Kind;
}

export interface EventDeclaration<Fields extends readonly FieldDeclaration[] = readonly FieldDeclaration[]> {
  /** As lists and traces name it. */
  readonly name: string;
  readonly says: string;
  /** 32-bit words from word 1 of the record on, at most seven. */
  readonly fields: Fields;
  /** Whether text follows. */
  readonly text?: boolean;
}

/** Events by number. */
export type EventTable = Readonly<Record<number, EventDeclaration>>;

/** An event of a table. */
export type EventOf<Events> = keyof Events & number;

/** Those with so many fields: what `TraceWriter`'s methods take, so that none is written with another number. */
export type EventsOf<Events extends EventTable, Count extends number> = EventOf<Events> &
  {
    [E in EventOf<Events>]: Events[E]["fields"]["length"] extends Count ? E : never;
  }[EventOf<Events>];

type Kinds = Readonly<Record<string, string>>;
type FieldOf<F extends Kinds> = FieldDeclaration<F[keyof F]>;

/** Declares an event. Each field is an object of one property: its name, and its kind. */
export function event<const F extends readonly Kinds[]>(
  name: string,
  says: string,
  ...fields: F
): EventDeclaration<{ readonly [I in keyof F]: FieldOf<F[I]> }> {
  const declared = fields.map((field) => {
    const [fieldName, kind] = Object.entries(field)[0];
    return Object.freeze({ name: fieldName, kind });
  });
  return Object.freeze({ name, says, fields: Object.freeze(declared) }) as never;
}

/** An event that text follows. */
export function withText<const F extends readonly FieldDeclaration[]>(
  declaration: EventDeclaration<F>,
): EventDeclaration<F> {
  return Object.freeze({ ...declaration, text: true });
}
