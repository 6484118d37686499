/**
 * Whether the programs of a machine have come to a standstill: each of their threads waits, and nobody is left who could
 * wake one of them. The services do not count: they wake only who has asked them, and answer whoever does. What is read while
 * a machine works can look like that for a moment; if nothing has run when it is looked at again, it is so.
 */
import { USER_CEILING } from "@capos/abi";
import { CoreState, type PhysicalMemory } from "@capos/hal";
import { readActivity, type ThreadActivity, type WaitActivity } from "./activity.js";
import { snapshotCore } from "./core-snapshot.js";
import type { MachineState } from "./state.js";

/** The guest that speaks for the host. Behind it may be somebody who may do anything. */
const BRIDGE = "bridge";
/** It owes an answer to who waits for a name, and gives it when a program registers that. */
const NAMES = "names";

/** What was seen of a machine whose programs seem to stand still. */
export interface Standstill {
  /** Who waits for what, for people: a line a thread. */
  readonly waits: readonly string[];
  /** The programs' processes by name, each time there is one. */
  readonly processes: readonly string[];
  /** Whether nobody waits for an answer: all are servers that nobody is left to ask. */
  readonly serves: boolean;
  /** How often its cores have switched threads: if that is the same some time later, nobody has run. */
  readonly switches: number;
}

/**
 * Whether each thread of each program waits for another of them; null if there are no programs, or one may go on.
 * @param hasIdleBridge whether the host's guest runs and nobody is behind it: then it is as a service
 */
export function standstill(memory: PhysicalMemory, cores: number, hasIdleBridge: boolean): Standstill | null {
  const { threads } = readActivity(memory);
  const bridges = threads.filter((thread) => isUser(thread) && thread.processName === BRIDGE);
  // A program may have that name too.
  if (new Set(bridges.map(({ process }) => process)).size > (hasIdleBridge ? 1 : 0)) return null;
  const users = threads.filter(
    (thread) =>
      isUser(thread) &&
      !bridges.includes(thread) &&
      (thread.waits !== null || thread.state === "ready" || thread.state === "running"),
  );
  if (users.length === 0) return null;
  const services = [...threads.filter((thread) => !isUser(thread)), ...bridges];
  const numbers = new Set(services.map(({ number }) => number));
  const processes = new Set(
    services.filter(({ processName }) => processName !== NAMES).map(({ process }) => process),
  );
  const names = services.find(({ processName }) => processName === NAMES)?.process;
  for (const { waits } of users) if (waits === null || mayEnd(waits, numbers, processes)) return null;
  const byNumber = new Map(threads.map((thread) => [thread.number, thread]));
  let switches = 0;
  for (let core = 0; core < cores; core++) {
    const { state, halted, isCalled, switches: its } = snapshotCore(memory, core);
    // One that has yet to look at what came for it may wake somebody.
    if (state === CoreState.ONLINE && (!halted || isCalled)) return null;
    switches += its;
  }
  const byProcess = new Map(users.map(({ process, processName }) => [process, processName]));
  return {
    processes: [...byProcess.values()],
    serves: users.every(({ waits }) => waits!.for === "message" || waits!.for === "signal"),
    waits: users.map((thread) => `${nameOf(thread)} waits for ${whatFor(thread.waits!, byNumber, names)}`),
    switches,
  };
}

/** Whether a capability of a program's has yet to expire: that wakes who waits through it. */
export function expectsExpiry({ cspaces }: MachineState): boolean {
  return cspaces.some(({ capabilities }) =>
    capabilities.some(({ expiresInNs }) => expiresInNs !== null && expiresInNs > 0),
  );
}

/** A user program is never as urgent as a service. */
function isUser({ priority, process }: ThreadActivity): boolean {
  return process !== 0 && priority <= USER_CEILING;
}

/** Whether a wait ends by itself, or by a service: threads and processes by number. */
function mayEnd(
  { for: kind, onThreads, onProcess }: WaitActivity,
  threads: ReadonlySet<number>,
  processes: ReadonlySet<number>,
): boolean {
  if (kind === "signal" || kind === "message") return false;
  if (kind !== "send" && kind !== "answer" && kind !== "reply") return true;
  // A service that has saved a reply gives it when somebody types.
  if (onProcess !== null) return processes.has(onProcess);
  return onThreads.some((number) => threads.has(number));
}

function nameOf({ processName, index }: ThreadActivity): string {
  return index === 0 ? processName : `${processName}, thread ${index},`;
}

function whatFor(
  { for: kind, onThreads, onProcess }: WaitActivity,
  byNumber: ReadonlyMap<number, ThreadActivity>,
  names: number | undefined,
): string {
  if (onProcess !== null && onProcess === names) return "a name that nobody is left to register";
  const others = onThreads.flatMap((number) => byNumber.get(number) ?? []).map(nameOf);
  const whom = others.length === 0 ? "" : ` of ${others.join(" or ")}`;
  if (kind === "signal") return "a signal that nobody is left to give";
  if (kind === "message") return "a message that nobody is left to send";
  if (kind === "reply") return `the answer${whom} to its call`;
  return kind === "send" ? `somebody to take what it sends${whom}` : `somebody to take its call${whom}`;
}
