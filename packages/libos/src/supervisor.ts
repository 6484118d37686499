/**
 * A supervisor: starts processes, and starts them again when they end, by the rules that Erlang's supervisors have.
 *
 *     const supervisor = yield* Supervisor.start(os, [
 *       { name: "store", image: store, gifts: [{ handle: endpoint, rights: Right.RECEIVE }] },
 *       { name: "report", image: report, restart: "transient" },
 *     ]);
 *     yield* supervisor.run();
 *
 * What a child is given stays its supervisor's: a new process receives from the same endpoint, so what its clients hold stays good.
 * Time is told by capabilities that expire: a restart counts as long as one lives, and one that is to be waited for is due when
 * its own is dead. So no clock is needed, and all times are in steps of a millisecond.
 */
import { handleIndex, LifeState, lifeName, Right, SlotState } from "@capos/abi";
import { IpcError } from "./ipc-error.js";
import { cnode, process } from "./kernel-calls.js";
import { endProcess, type ProcessOptions, type SpawnedProcess, spawnProcess } from "./spawn.js";
import type { Os } from "./start.js";
import { isSteps, type MaybeSteps, type Steps } from "./steps.js";

/**
 * Who is started again beside the child that ended: nobody, all, or those that stand behind it in the list. The others are ended
 * first, last to first.
 */
export type Strategy = "one-for-one" | "one-for-all" | "rest-for-one";

/** Whether a child is started again: always; unless it exited with status 0; never. */
export type Restart = "permanent" | "transient" | "temporary";

export interface ChildDescription extends Omit<ProcessOptions, "watcher"> {
  /** Differs from those of the other children. At most 32 bytes. */
  readonly name: string;
  /** "permanent" unless told. */
  readonly restart?: Restart;
}

export interface SupervisorOptions {
  /** "one-for-one" unless told. */
  readonly strategy?: Strategy;
  /** More than so many restarts in so long a time, above 0, and the supervisor ends all and gives up: 5 in 10,000 ms unless told. */
  readonly limit?: { readonly restarts: number; readonly withinMs: number };
  /**
   * How long a restart is put off: the first at all, then twice as long for each restart of the child that still counts, up to the
   * most. 100 ms and 5000 ms unless told; 0 is at once.
   */
  readonly backOff?: { readonly firstMs: number; readonly mostMs: number };
  /** Takes what happens; it goes to the log unless told. */
  readonly report?: (report: SupervisorReport) => MaybeSteps<void>;
}

/** What a supervisor tells of a child. */
export type SupervisorReport =
  | { readonly event: "started"; readonly child: string; readonly isRestart: boolean }
  /** It ended by itself. `inMs`: when it is started again, null for never. */
  | {
      readonly event: "ended";
      readonly child: string;
      readonly state: "exited" | "faulted" | "killed";
      readonly status: number;
      readonly fault: string;
      readonly inMs: number | null;
    }
  /** It could not be started again; that counts as an end. */
  | { readonly event: "refused"; readonly child: string; readonly reason: string; readonly inMs: number }
  /** The supervisor ended it: with others, or at the supervisor's own end. */
  | { readonly event: "stopped"; readonly child: string }
  /** There were too many restarts, the last for this child's sake. All are ended. */
  | {
      readonly event: "gave-up";
      readonly child: string;
      readonly restarts: number;
      readonly withinMs: number;
    };

/** How it came that nothing is left to look after. */
export type SupervisorEnd = "finished" | "gave-up" | "stopped";

interface Child {
  readonly description: ChildDescription;
  /** Null while it does not run. */
  spawned: SpawnedProcess | null;
}

/** A restart that counts, as long as a capability lives. */
interface Counted {
  readonly child: Child;
  readonly handle: number;
}

/** Children that are to be started again, when a capability is dead; at once if there is none. */
interface Group {
  readonly children: readonly Child[];
  readonly due: number | null;
}

const DEFAULT_LIMIT = Object.freeze({ restarts: 5, withinMs: 10_000 });
const DEFAULT_BACK_OFF = Object.freeze({ firstMs: 100, mostMs: 5000 });
const NS_PER_MS = 1e6;
/** How long the longest time may be: what a capability's end can be told in. */
const MAX_MS = 2 ** 31 - 1;

export class Supervisor {
  readonly #os: Os;
  readonly #children: readonly Child[];
  readonly #options: Required<Omit<SupervisorOptions, "report">>;
  readonly #report: (report: SupervisorReport) => MaybeSteps<void>;
  #groups: Group[] = [];
  #counted: Counted[] = [];
  #end: SupervisorEnd | null = null;

  private constructor(
    os: Os,
    children: readonly ChildDescription[],
    {
      strategy = "one-for-one",
      limit = DEFAULT_LIMIT,
      backOff = DEFAULT_BACK_OFF,
      report,
    }: SupervisorOptions,
    /** Is signalled when a child has ended. */
    readonly notification: number,
    private readonly watcher: number,
  ) {
    this.#os = os;
    this.#options = { strategy, limit, backOff };
    this.#report = report ?? ((told) => logReport(os, told));
    this.#children = children.map((description) => ({ description, spawned: null }));
  }

  /**
   * Starts children in their order.
   * @param notification signalled when a child has ended; one of its own unless given
   * @throws RangeError for options that cannot be; what `spawnProcess` throws if one cannot be started: then none is left
   */
  static *start(
    os: Os,
    children: readonly ChildDescription[],
    options: SupervisorOptions = {},
    notification?: number,
  ): Steps<Supervisor> {
    check(children, options);
    const own = notification ?? (yield* os.notification());
    const supervisor = new Supervisor(os, children, options, own, yield* os.copy(own, Right.SEND, 1));
    try {
      for (const child of supervisor.#children) yield* supervisor.#startChild(child, false);
    } catch (error) {
      yield* supervisor.stop();
      throw error;
    }
    return supervisor;
  }

  /** The names of the children that run, in their order. */
  get running(): string[] {
    return this.#children
      .filter(({ spawned }) => spawned !== null)
      .map(({ description }) => description.name);
  }

  /** How it ended; null while there is something to look after. */
  get end(): SupervisorEnd | null {
    return this.#end;
  }

  /** Looks after the children until none runs or is to be started again, or there were too many restarts. */
  *run(): Steps<SupervisorEnd> {
    const { sys } = this.#os;
    for (;;) {
      yield* this.attend();
      if (this.#end !== null) return this.#end;
      // Through what dies when the next restart is due: that ends the wait too.
      const answer = yield sys.wait((yield* this.#next()) ?? this.notification);
      if (answer < 0 && (yield* this.#next()) === null) throw new IpcError(answer, "wait for children");
    }
  }

  /**
   * Looks after what has happened: for who waits elsewhere. To be called when the notification is signalled, and when `dueMs` are
   * over. Does nothing when there is nothing to do.
   */
  *attend(): Steps<void> {
    for (const child of this.#children) {
      if (child.spawned === null) continue;
      const status = yield* process.status(this.#os.sys, child.spawned.process);
      if (status.state < LifeState.EXITED) continue;
      yield* endProcess(this.#os, child.spawned);
      child.spawned = null;
      const { state, status: code, fault } = status;
      const restarts = isRestarted(child.description.restart ?? "permanent", state, code);
      const ended = {
        ...({ event: "ended", child: child.description.name, status: code, fault } as const),
        state: lifeName(state) as "exited" | "faulted" | "killed",
      };
      yield* this.#restart(child, restarts, (inMs) => ({ ...ended, inMs }));
      if (this.#end !== null) return;
    }
    for (const group of [...this.#groups]) {
      if (group.due !== null && (yield* this.#isAlive(group.due))) continue;
      yield* this.#startGroup(group);
      if (this.#end !== null) return;
    }
    if (this.#groups.length === 0 && this.running.length === 0) this.#end ??= "finished";
  }

  /** Milliseconds until `attend` is to be called for a restart's sake; null if there is none to come. */
  *dueMs(): Steps<number | null> {
    const next = yield* this.#next();
    return next === null ? null : Math.max(1, ((yield* this.#inspect(next)).expiresInNs ?? 0) / NS_PER_MS);
  }

  /** Ends all children, last to first, and starts none again. */
  *stop(): Steps<void> {
    this.#end ??= "stopped";
    for (const group of this.#groups) yield* this.#forget(group);
    for (const child of [...this.#children].reverse()) yield* this.#stopChild(child);
    for (const { handle } of this.#counted.splice(0)) yield* this.#os.drop(handle);
  }

  *#startChild(child: Child, isRestart: boolean): Steps<void> {
    const { restart: _, ...options } = child.description;
    child.spawned = yield* spawnProcess(this.#os, { ...options, watcher: this.watcher });
    yield* this.#tell({ event: "started", child: child.description.name, isRestart });
  }

  *#stopChild(child: Child): Steps<void> {
    if (child.spawned === null) return;
    yield* endProcess(this.#os, child.spawned);
    child.spawned = null;
    yield* this.#tell({ event: "stopped", child: child.description.name });
  }

  /** Has a child started again, with whoever goes with it, or gives up. */
  *#restart(child: Child, isWanted: boolean, told: (inMs: number | null) => SupervisorReport): Steps<void> {
    if (!isWanted) return yield* this.#tell(told(null));
    const { limit, backOff } = this.#options;
    const counted: Counted[] = [];
    for (const one of this.#counted)
      if (yield* this.#isAlive(one.handle)) counted.push(one);
      else yield* this.#os.drop(one.handle);
    this.#counted = counted;
    if (counted.length >= limit.restarts) {
      yield* this.#tell(told(null));
      const { name } = child.description;
      yield* this.#tell({
        event: "gave-up",
        child: name,
        restarts: counted.length,
        withinMs: limit.withinMs,
      });
      this.#end = "gave-up";
      return yield* this.stop();
    }
    const before = counted.filter((one) => one.child === child).length;
    const inMs = Math.min(backOff.mostMs, backOff.firstMs * 2 ** before);
    counted.push({ child, handle: yield* this.#expiring(limit.withinMs) });
    yield* this.#tell(told(inMs));
    const others = yield* this.#stopWith(child);
    this.#groups.push({
      children: this.#children.filter((one) => one === child || others.has(one)),
      due: inMs === 0 ? null : yield* this.#expiring(inMs),
    });
  }

  /** Ends those that go with a child, last to first; gives those of them that are to be started again. */
  *#stopWith(child: Child): Steps<Set<Child>> {
    const { strategy } = this.#options;
    const first =
      strategy === "one-for-one"
        ? this.#children.length
        : strategy === "one-for-all"
          ? 0
          : this.#children.indexOf(child) + 1;
    const again = new Set<Child>();
    for (const other of this.#children.slice(first).reverse()) {
      if (other === child) continue;
      for (const group of this.#groups.filter(({ children }) => children.includes(other))) {
        // Whoever waited to be started waits with the others now.
        for (const waiting of group.children) again.add(waiting);
        yield* this.#forget(group);
      }
      if (other.spawned === null) continue;
      yield* this.#stopChild(other);
      if (other.description.restart !== "temporary") again.add(other);
    }
    return again;
  }

  *#startGroup(group: Group): Steps<void> {
    yield* this.#forget(group);
    for (const [i, child] of group.children.entries()) {
      try {
        yield* this.#startChild(child, true);
      } catch (error) {
        if (!(error instanceof IpcError || error instanceof RangeError)) throw error;
        const refused = { event: "refused", child: child.description.name, reason: error.message } as const;
        yield* this.#restart(child, true, (inMs) => ({ ...refused, inMs: inMs ?? 0 }));
        // Those behind it wait for it, so that the order stays what it is.
        const last = this.#groups.pop();
        if (last === undefined || this.#end !== null) return;
        const rest = group.children.slice(i + 1).filter((one) => !last.children.includes(one));
        this.#groups.push({
          ...last,
          children: this.#children.filter((one) => last.children.includes(one) || rest.includes(one)),
        });
        return;
      }
    }
  }

  *#forget(group: Group): Steps<void> {
    this.#groups = this.#groups.filter((one) => one !== group);
    if (group.due !== null) yield* this.#os.drop(group.due);
  }

  /** The capability that dies when the next restart is due; null if there is none to wait for. */
  *#next(): Steps<number | null> {
    let next: number | null = null;
    let nextNs = Number.POSITIVE_INFINITY;
    for (const { due } of this.#groups) {
      if (due === null) continue;
      const ns = (yield* this.#inspect(due)).expiresInNs ?? 0;
      if (ns < nextNs) [next, nextNs] = [due, ns];
    }
    return next;
  }

  *#isAlive(handle: number): Steps<boolean> {
    return (yield* this.#inspect(handle)).state === SlotState.LIVE;
  }

  #inspect(handle: number): Steps<{ readonly state: number; readonly expiresInNs: number | null }> {
    const { sys, environment } = this.#os;
    return cnode.inspect(sys, environment.cnode, handleIndex(handle));
  }

  /** A capability that is dead in so many milliseconds, and can be waited through until then. */
  *#expiring(ms: number): Steps<number> {
    const { sys, environment, slots } = this.#os;
    const slot = slots.take();
    try {
      return yield* cnode.expire(
        sys,
        environment.cnode,
        slot,
        this.notification,
        Right.RECEIVE,
        Math.ceil(ms) * NS_PER_MS,
      );
    } catch (error) {
      slots.give(slot);
      throw error;
    }
  }

  *#tell(report: SupervisorReport): Steps<void> {
    const result = this.#report(report);
    if (isSteps(result)) yield* result;
  }
}

function isRestarted(restart: Restart, state: LifeState, status: number): boolean {
  if (restart === "temporary") return false;
  return restart === "permanent" || state !== LifeState.EXITED || status !== 0;
}

function check(children: readonly ChildDescription[], { strategy, limit, backOff }: SupervisorOptions): void {
  const names = new Set<string>();
  for (const { name, restart } of children) {
    if (names.has(name)) throw new RangeError(`supervisor: two children are called ${name}`);
    names.add(name);
    oneOf(`restart of ${name}`, restart, ["permanent", "transient", "temporary"]);
  }
  oneOf("strategy", strategy, ["one-for-one", "one-for-all", "rest-for-one"]);
  if (limit !== undefined) {
    inRange("limit.restarts", limit.restarts, 0, 1000);
    inRange("limit.withinMs", limit.withinMs, 1, MAX_MS);
  }
  if (backOff === undefined) return;
  inRange("backOff.firstMs", backOff.firstMs, 0, MAX_MS);
  inRange("backOff.mostMs", backOff.mostMs, backOff.firstMs, MAX_MS);
}

function oneOf(what: string, value: string | undefined, possible: readonly string[]): void {
  if (value !== undefined && !possible.includes(value))
    throw new RangeError(`supervisor: ${what} is ${value}, possible are ${possible.join(", ")}`);
}

function inRange(what: string, value: number, low: number, high: number): void {
  if (!(Number.isInteger(value) && value >= low && value <= high))
    throw new RangeError(`supervisor: ${what} is ${value}, possible are integers from ${low} to ${high}`);
}

/** What a report says, for people. */
export function reportText(report: SupervisorReport): string {
  const { child } = report;
  switch (report.event) {
    case "started":
      return `${child} ${report.isRestart ? "was started again" : "was started"}`;
    case "stopped":
      return `${child} was stopped`;
    case "refused":
      return `${child} cannot be started: ${report.reason}; again in ${report.inMs} ms`;
    case "gave-up":
      return `gave up for ${child}: ${report.restarts} restarts in ${report.withinMs} ms are as many as may be`;
    case "ended": {
      const how = report.state === "exited" ? `exited with status ${report.status}` : report.state;
      const fault = report.fault === "" ? "" : `: ${report.fault}`;
      return `${child} ${how}${fault}${report.inMs === null ? "" : `; is started again in ${report.inMs} ms`}`;
    }
  }
}

function logReport({ log }: Os, report: SupervisorReport): Steps<void> {
  const text = `supervisor: ${reportText(report)}`;
  if (report.event === "gave-up") return log.error(text);
  const isTrouble =
    report.event === "refused" ||
    (report.event === "ended" && (report.state !== "exited" || report.status !== 0));
  return isTrouble ? log.warn(text) : log.info(text);
}
