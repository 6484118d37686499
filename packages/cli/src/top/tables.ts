/**
 * A reading as tables: cores, and threads or processes, in as many columns as there is width for.
 *
 * The widths of columns are fixed, so that they stand still from one drawing to the next; the last one takes
 * what is left.
 */
import { formatCount } from "@capos/bench/quantity";
import type { WaitActivity } from "@capos/inspect";
import { cell } from "./cells.js";
import type { CoreReading, ProcessReading, Reading, ThreadReading } from "./reading.js";
import type { SortKey } from "./sort-keys.js";

/** The narrowest that tables fit into. */
export const MIN_WIDTH = 60;

interface Column<Row> {
  readonly head: string;
  readonly width: number;
  /** The width of the terminal from which on it is shown. */
  readonly from: number;
  readonly left?: boolean;
  readonly sort?: SortKey;
  cell(row: Row): string;
}

const USUAL = 80;
const WIDE = 100;

const percent = (share: number): string => `${(share * 100).toFixed(1)}%`;
const rate = (value: number): string => formatCount(Math.round(value));

function coreColumns(threads: readonly ThreadReading[]): Column<CoreReading>[] {
  const most = new Map<number, ThreadReading>();
  for (const thread of threads)
    if (thread.cpu > (most.get(thread.core)?.cpu ?? 0)) most.set(thread.core, thread);
  return [
    { head: "core", width: 4, from: 0, cell: ({ core }) => String(core) },
    { head: "busy", width: 6, from: 0, cell: ({ busy }) => percent(busy) },
    { head: "kernel", width: 6, from: 0, cell: ({ kernel }) => percent(kernel) },
    { head: "polls", width: 6, from: WIDE, cell: ({ polling }) => percent(polling) },
    { head: "halted", width: 6, from: 0, cell: ({ halted }) => percent(halted) },
    { head: "ready", width: 5, from: 0, cell: ({ ready }) => ready.toFixed(1) },
    { head: "traps/s", width: 7, from: 0, cell: ({ traps }) => rate(traps) },
    { head: "calls/s", width: 7, from: 0, cell: ({ calls }) => rate(calls) },
    { head: "in/s", width: 6, from: USUAL, cell: ({ messagesIn }) => rate(messagesIn) },
    { head: "out/s", width: 6, from: USUAL, cell: ({ messagesOut }) => rate(messagesOut) },
    { head: "grace/s", width: 7, from: WIDE, cell: ({ gracePeriods }) => rate(gracePeriods) },
    {
      ...{ head: "mostly", width: 0, from: USUAL, left: true },
      cell({ core, state }) {
        const thread = most.get(core);
        if (state !== "online") return state;
        return thread === undefined ? "" : `${thread.number} ${thread.processName}`;
      },
    },
  ];
}

const PROCESS_COLUMNS: readonly Column<ProcessReading>[] = [
  { head: "process", width: 7, from: 0, cell: ({ number }) => String(number) },
  { head: "name", width: 16, from: 0, left: true, sort: "name", cell: ({ name }) => name },
  { head: "threads", width: 7, from: 0, cell: ({ threads }) => String(threads) },
  { head: "cpu", width: 6, from: 0, sort: "cpu", cell: ({ cpu }) => percent(cpu) },
  { head: "calls/s", width: 7, from: 0, sort: "calls", cell: ({ calls }) => rate(calls) },
  { head: "cores", width: 0, from: 0, left: true, sort: "core", cell: ({ cores }) => cores.join(" ") },
];

function threadColumns(threads: readonly ThreadReading[], width: number): Column<ThreadReading>[] {
  const isWide = width >= WIDE;
  const byNumber = new Map(threads.map((thread) => [thread.number, thread]));
  return [
    { head: "thread", width: 6, from: 0, cell: ({ number }) => String(number) },
    {
      ...{ head: "process", width: isWide ? 16 : 12, from: 0, left: true, sort: "name" },
      cell: ({ process, processName }) => (process === 0 ? "" : `${process} ${processName}`),
    },
    { head: "core", width: 4, from: 0, sort: "core", cell: ({ core }) => String(core) },
    { head: "prio", width: 4, from: USUAL, cell: ({ priority }) => String(priority) },
    { head: "cpu", width: 6, from: 0, sort: "cpu", cell: ({ cpu }) => percent(cpu) },
    { head: "calls/s", width: 7, from: 0, sort: "calls", cell: ({ calls }) => rate(calls) },
    // Where there is no room for both, what it waits for says more than its state.
    ...(isWide ? [STATE_COLUMN] : []),
    {
      ...{ head: isWide ? "waits for" : "state", width: 0, from: 0, left: true },
      ...(!isWide && { sort: "state" as const }),
      cell: ({ state, waits }) => (waits === null ? (isWide ? "" : state) : waitText(waits, byNumber)),
    },
  ];
}

const STATE_COLUMN: Column<ThreadReading> = {
  ...{ head: "state", width: 18, from: WIDE, left: true, sort: "state" },
  cell: ({ state }) => state,
};

/** What a thread waits for, where, and on whom: threads by number and process. */
function waitText(waits: WaitActivity, threads: ReadonlyMap<number, ThreadReading>): string {
  const { object, onThreads, onProcess, onCore, gracePeriod } = waits;
  const at = object === null ? "" : ` at 0x${object.toString(16)}`;
  const names = onThreads.map((number) => `${number} ${threads.get(number)?.processName ?? ""}`.trimEnd());
  const of = names.length === 0 ? "" : ` of ${names.join(" or ")}`;
  switch (waits.for) {
    case "core":
      return `answer of core ${onCore}`;
    case "ring":
      return "room in a ring";
    case "grace period":
      return `grace period ${gracePeriod}`;
    case "reply":
      return `reply${of}${onProcess === null ? "" : ` of process ${onProcess}`}`;
    case "answer":
      return `answer${of}${at}`;
    case "send":
      return `receive${of}${at}`;
    default:
      return `${waits.for}${at}`;
  }
}

/** Lines of the cores' table, its heads first. */
export function coreLines({ cores, threads }: Reading, width: number): string[] {
  return lines(coreColumns(threads), cores, width, null);
}

/** Lines of the threads' table, its heads first; the head of the column that orders it has a mark. */
export function threadLines({ threads }: Reading, width: number, sort: SortKey): string[] {
  return lines(threadColumns(threads, width), sortThreads(threads, sort), width, sort);
}

/** The same for processes. They have no state: by number then. */
export function processLines({ processes }: Reading, width: number, sort: SortKey): string[] {
  return lines(PROCESS_COLUMNS, sortProcesses(processes, sort), width, sort);
}

/** Threads in an order; those that are equal, by number. */
export function sortThreads(threads: readonly ThreadReading[], sort: SortKey): ThreadReading[] {
  const order: Record<SortKey, (a: ThreadReading, b: ThreadReading) => number> = {
    cpu: (a, b) => b.cpu - a.cpu,
    calls: (a, b) => b.calls - a.calls,
    name: (a, b) => compare(a.processName, b.processName),
    core: (a, b) => a.core - b.core,
    state: (a, b) => compare(a.state, b.state),
  };
  return [...threads].sort((a, b) => order[sort](a, b) || a.number - b.number);
}

function sortProcesses(processes: readonly ProcessReading[], sort: SortKey): ProcessReading[] {
  const order: Record<SortKey, (a: ProcessReading, b: ProcessReading) => number> = {
    cpu: (a, b) => b.cpu - a.cpu,
    calls: (a, b) => b.calls - a.calls,
    name: (a, b) => compare(a.name, b.name),
    core: (a, b) => (a.cores[0] ?? 0) - (b.cores[0] ?? 0),
    state: () => 0,
  };
  return [...processes].sort((a, b) => order[sort](a, b) || a.number - b.number);
}

/** By code units: the same everywhere. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const SORT_MARK = "*";
const COLUMN_GAP = "  ";

/** Room for its cells, and for its head with a mark. */
function widthOf({ head, width, sort }: Column<never>): number {
  return width === 0 ? 0 : Math.max(width, head.length + (sort === undefined ? 0 : SORT_MARK.length));
}

function lines<Row>(
  all: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
  sort: SortKey | null,
): string[] {
  const columns = all.filter(({ from }) => width >= from);
  const taken = columns.reduce((total, column) => total + widthOf(column), 0);
  const rest = Math.max(width - taken - COLUMN_GAP.length * (columns.length - 1), 1);
  const heads = columns.map((column) =>
    column.sort !== undefined && column.sort === sort ? `${column.head}${SORT_MARK}` : column.head,
  );
  const widths = columns.map((column) => widthOf(column) || rest);
  const line = (cells: readonly string[]): string =>
    cells
      .map((text, i) => cell(text, widths[i], columns[i].left === true))
      .join(COLUMN_GAP)
      .trimEnd();
  return [line(heads), ...rows.map((row) => line(columns.map((column) => column.cell(row))))];
}
