/** Fields of events as a person reads them. */
import { errorName, lifeName, trapName, typeName } from "@capos/abi";
import { methodName } from "@capos/abi/methods";
import { lineKindName } from "@capos/inspect";
import { type FieldKind, type TraceDeclaration, traceEvent } from "@capos/kernel/trace-events";
import type { TraceRecord } from "@capos/trace";
import type { Names } from "./names.js";

/** What a trap's number says of a guest that did not trap. */
const OUTCOMES: Readonly<Record<number, string>> = Object.freeze({ [-1]: "end", [-2]: "fault" });

/** The operation that a guest asked for, or how it ended. */
export function operationName(trap: number): string {
  return OUTCOMES[trap] ?? trapName(trap);
}

const hex = (value: number): string => `0x${(value >>> 0).toString(16)}`;

type Show = (value: number, names: Names) => string | number;

const KINDS: Readonly<Record<FieldKind, Show>> = Object.freeze({
  thread: (value, names) => (value === 0 ? "kernel" : `${names.thread(value).name} (thread ${value})`),
  process: (value, names) => (value === 0 ? "kernel" : `${names.process(value)} (process ${value})`),
  core: (value) => value,
  trap: (value) => operationName(value),
  method: (value) => methodName(value),
  type: (value) => typeName(value),
  status: (value) => (value < 0 ? errorName(value) : value),
  life: (value) => lifeName(value),
  lineKind: (value) => lineKindName(value),
  address: (value, names) => {
    const address = `0x${((value >>> 0) * 4).toString(16)}`;
    const name = names.endpoint(value);
    return name === "" ? address : `${name} (${address})`;
  },
  id: (value) => hex(value),
  slot: (value) => value,
  rights: (value) => hex(value),
  badge: (value) => value >>> 0,
  bits: (value) => hex(value),
  grace: (value) => value,
  vector: (value) => hex(value),
  port: (value) => value,
  priority: (value) => value,
  count: (value) => value,
  flag: (value) => value,
});

/** An event's declaration; also of one that a newer kernel wrote. */
export function declarationOf(event: number): TraceDeclaration {
  return traceEvent(event) ?? { name: `event ${event}`, says: "unknown", fields: [] };
}

/** The fields of an event, by name. */
export function fieldsOf(record: TraceRecord, names: Names): Record<string, unknown> {
  const { fields, text } = declarationOf(record.event);
  const found: Record<string, unknown> = {};
  for (let i = 0; i < fields.length; i++)
    found[fields[i].name] = KINDS[fields[i].kind](record.fields[i], names);
  if (text === true) found.text = record.text;
  return found;
}
