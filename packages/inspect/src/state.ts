/**
 * What an inspection answers: a whole machine as plain data, fit for JSON.
 *
 * Addresses are physical, in bytes. Sizes are in bytes, times in nanoseconds of the machine's clock. The
 * derivation tree is a flat list in depth-first order: a chain of copies may be longer than any
 * recursion over nested data survives.
 */
import type { CoreSnapshot } from "./core-snapshot.js";

/** The parts of a state that can be asked for, in the order in which they are shown. */
export const SECTIONS = Object.freeze([
  "cores",
  "processes",
  "threads",
  "cspaces",
  "tree",
  "queues",
  "memory",
] as const);
export type SectionName = (typeof SECTIONS)[number];

/** A machine at one moment, as far as there is such a thing. */
export interface MachineState {
  readonly machine: MachineInfo;
  readonly cores: readonly CoreInfo[];
  readonly processes: readonly ProcessInfo[];
  readonly threads: readonly ThreadInfo[];
  readonly cspaces: readonly CSpaceInfo[];
  readonly tree: TreeInfo;
  readonly queues: QueuesInfo;
  readonly memory: MemoryInfo;
}

export interface MachineInfo {
  readonly takenNs: number;
  /** "on", "halting" or "panic". */
  readonly power: string;
  readonly cores: number;
  readonly hardwareThreads: number;
  readonly memoryMiB: number;
  readonly seed: number;
  /** The number of the latest grace period asked for. */
  readonly graceRequested: number;
  /** True if the derivation tree and the lists beside it were read under the tree lock: they are of one instant. */
  readonly consistent: boolean;
  /** Links that lead nowhere, as far as they were noted. Without the lock a change in progress looks the same. */
  readonly damage: readonly string[];
}

export interface CoreInfo extends CoreSnapshot {
  readonly stateName: string;
  /** Names of the bits in its attention word. */
  readonly attention: readonly string[];
  /** Cores whose rings to it have something, as its attention word says; a bit stands for up to four. */
  readonly ringBits: number;
  /** The running thread's number, null for none. */
  readonly thread: number | null;
  readonly ready: number;
  readonly lastTrap: string;
  readonly inCommit: boolean;
  /** Grace period that something on this core waits for, null for none. */
  readonly graceAwaited: number | null;
}

/** Where a slot is. */
export interface PlaceInfo {
  /** "slot" is one of a CNode; a "binding" and an "header" are parts of another object. */
  readonly kind: "slot" | "binding" | "header" | "root" | "unknown";
  /** Whose it is, for people: the process that has the CNode as its CSpace, or the object. */
  readonly holder: string;
  /** Of a slot: its CNode's address and its index in there. */
  readonly cnode: number | null;
  readonly index: number | null;
}

/** A capability, or a slot that none is in. */
export interface CapabilityInfo {
  readonly address: number;
  readonly place: PlaceInfo;
  /** "empty", "reserved", "live" or "dead". */
  readonly state: string;
  readonly type: string;
  /** What it designates, for people. */
  readonly designates: string;
  /** Address of the object, null for what is none in memory. */
  readonly object: number | null;
  readonly bytes: number | null;
  /** A letter for each right, in the order of their bits, `-` for one that is missing: rwxmscgv. */
  readonly rights: string;
  /** The badge, or the call number of a reply; 0 is none. */
  readonly badge: number;
  readonly generation: number;
  /** Names of the slot's flags. */
  readonly flags: readonly string[];
  /** Until it expires; null is never, 0 is over. */
  readonly expiresInNs: number | null;
  /** Of an untyped: bytes handed out so far. */
  readonly used: number | null;
}

export interface ProcessInfo {
  readonly number: number;
  readonly name: string;
  readonly address: number;
  readonly life: string;
  readonly status: number;
  /** Its CSpace's CNode, null before it has one. */
  readonly cspace: number | null;
  readonly cspaceSlots: number;
  /** Live threads, and thread numbers that it may still take. */
  readonly threads: number;
  readonly threadsLeft: number;
  readonly ceiling: number;
  /** "none", "threads", "slots" or "done". */
  readonly cleaning: string;
  /** Number of the process that made it, null for init. */
  readonly maker: number | null;
  readonly made: readonly number[];
  /** Capabilities to it, as its header counts them. */
  readonly references: number;
  readonly fault: string;
  readonly monitors: number;
}

/** What a thread waits for. */
export interface WaitInfo {
  /** "sender", "caller", "receiver", "waiter", "reply owed", "replying" or "-". */
  readonly as: string;
  /** The object, for people; empty if it is none. */
  readonly at: string;
  readonly object: number | null;
  /** The slot that it waits through, and whether that still holds what it did. */
  readonly through: PlaceInfo | null;
  readonly throughHolds: boolean;
  readonly askedCore: number | null;
  readonly gracePeriod: number | null;
}

export interface ThreadInfo {
  /** 0 for one that is not configured, or is gone. */
  readonly number: number;
  readonly address: number;
  /** Number of its process, null for none. */
  readonly process: number | null;
  readonly processName: string;
  readonly index: number;
  readonly core: number;
  readonly priority: number;
  readonly life: string;
  readonly status: number;
  readonly state: string;
  readonly waits: WaitInfo | null;
  /** Number of the thread whose call it took and has not answered, null for none. */
  readonly owesReplyTo: number | null;
  readonly boundNotification: number | null;
  readonly references: number;
  readonly monitors: number;
}

/** A CNode and what is in it. */
export interface CSpaceInfo {
  readonly address: number;
  readonly slots: number;
  /** Numbers of the processes whose CSpace it is; none for a CNode that is just held. */
  readonly processes: readonly number[];
  readonly holder: string;
  readonly live: number;
  readonly reserved: number;
  readonly dead: number;
  /** Those that are live. */
  readonly capabilities: readonly CapabilityInfo[];
}

/** A node of the derivation tree. */
export interface TreeNode extends CapabilityInfo {
  /** Its parent's place in the list of nodes, -1 for a root. */
  readonly parent: number;
  readonly depth: number;
}

export interface TreeInfo {
  /** Depth first, each before its children. The first is the root of all; others are headers of callers, with their replies. */
  readonly nodes: readonly TreeNode[];
  /** False if there were more than an inspection reads. */
  readonly complete: boolean;
}

export interface QueueEntry {
  readonly thread: number;
  readonly as: string;
  readonly priority: number;
  readonly badge: number;
}

export interface EndpointInfo {
  readonly address: number;
  readonly home: number;
  /** "empty", "senders" or "receivers". */
  readonly kind: string;
  readonly queue: readonly QueueEntry[];
  /** Badges whose holders are gone, about to be told. */
  readonly orphans: readonly number[];
  readonly references: number;
}

export interface NotificationInfo {
  readonly address: number;
  readonly home: number;
  readonly bits: number;
  readonly waiting: boolean;
  readonly queue: readonly QueueEntry[];
  /** Number of the thread that it is bound to, null for none. */
  readonly boundThread: number | null;
  readonly references: number;
}

export interface MonitorInfo {
  readonly address: number;
  readonly target: string;
  readonly notification: string;
  /** How the target ended, null while it has not. */
  readonly ended: { readonly life: string; readonly status: number } | null;
}

/** An object that is being finalised. */
export interface ReapInfo {
  readonly core: number;
  readonly object: string;
  readonly address: number;
  /** Names of what is to be done. */
  readonly work: readonly string[];
  readonly cursor: number;
}

export interface QueuesInfo {
  readonly endpoints: readonly EndpointInfo[];
  readonly notifications: readonly NotificationInfo[];
  readonly monitors: readonly MonitorInfo[];
  /** By core: objects being finalised, queues whose threads are checked for revoked slots. */
  readonly reaping: readonly ReapInfo[];
  readonly sweeping: readonly { readonly core: number; readonly object: string; readonly address: number }[];
  /** Capabilities that will expire, and until the next one does (null for none). */
  readonly expiring: number;
  readonly nextExpiryInNs: number | null;
}

/** What one process holds and has made. */
export interface MemoryOwner {
  readonly owner: string;
  /** Its number; null for what no process's CSpace holds. */
  readonly process: number | null;
  /** Of its untyped capabilities: their sizes, and what of it is handed out (to objects, or as untyped of its own). */
  readonly untypedBytes: number;
  readonly usedBytes: number;
  readonly freeBytes: number;
  /** Objects made from its untyped memory, without untyped: bytes, and how many by type. */
  readonly objectBytes: number;
  readonly objects: Readonly<Record<string, number>>;
}

export interface MemoryInfo {
  readonly regions: readonly { readonly name: string; readonly address: number; readonly bytes: number }[];
  /** Kernel tables at the bottom of the free region. */
  readonly kernelBytes: number;
  readonly images: number;
  readonly imageBytes: number;
  /** In no object, untyped of others or table: all of the owners' free bytes. */
  readonly freeBytes: number;
  readonly owners: readonly MemoryOwner[];
  readonly spaces: readonly SpaceInfo[];
}

/** An address space in which something is mapped, or was. */
export interface SpaceInfo {
  /** By which the buffers of the cores know it, 1 to 4095. */
  readonly identifier: number;
  /** Its object's, in bytes. */
  readonly address: number;
  /** Names of the processes that use it. */
  readonly processes: readonly string[];
  /** Cores that have used it. */
  readonly cores: readonly number[];
  /** Page tables below its own. */
  readonly tables: number;
  readonly mappings: readonly MappingInfo[];
  /** False if there is more than was read. */
  readonly complete: boolean;
}

/** A run of pages of one kind, in order in both address spaces. */
export interface MappingInfo {
  readonly address: number;
  readonly bytes: number;
  readonly pageBytes: number;
  readonly physical: number;
  /** A set of `Right`. */
  readonly rights: number;
  readonly accessedPages: number;
  readonly dirtyPages: number;
}
