/**
 * What a trace can say: every event, its fields, and what it means. The chipset's are hal's, all others are declared
 * here; the writer's types, the decoder, `--events` and the table in docs/tracing.md come from it.
 */
import { CHIPSET_EVENTS } from "@capos/hal";
import { ALL_GROUPS, type EventDeclaration, event, type FieldDeclaration, withText } from "@capos/trace";

/** Groups of events, by which a trace is switched on and off. */
export const enum TraceGroup {
  /** Batches and their times: always there. */
  FRAME = 0,
  TRAP = 1,
  SWITCH = 2,
  MESSAGE = 3,
  WORDS = 4,
  RING = 5,
  IDLE = 6,
  INTERRUPT = 7,
  GRACE = 8,
  CAPABILITY = 9,
  REVOKE = 10,
  LIFE = 11,
  LOG = 12,
}

/** Events that the kernel writes, beside those of `ChipsetEvent`. A number is its group's times eight and more. */
export const enum TraceEvent {
  TRAP_ENTER = 8,
  TRAP_LEAVE = 9,

  SWITCH = 16,
  READY = 17,

  SEND = 24,
  QUEUE = 25,
  DELIVER = 26,
  REPLY = 27,
  ANSWERED = 28,
  SIGNAL = 29,
  SIGNALLED = 30,
  PASS = 31,

  WORDS = 32,

  RING_PUSH = 40,
  RING_POP = 41,
  DOORBELL = 42,
  RING_FULL = 43,
  BOUNCE = 44,

  HALT = 48,
  WAKE = 49,

  INTERRUPT_DELIVER = 57,

  GRACE_ASK = 64,
  GRACE_TAKE = 65,
  GRACE_PASS = 66,
  GRACE_WAIT = 67,
  GRACE_OVER = 68,

  CAPABILITY_FILL = 72,
  CAPABILITY_DELETE = 73,
  CAPABILITY_RETYPE = 74,
  CAPABILITY_ARRIVE = 75,
  OBJECT_FINALISED = 76,

  REVOKE_CHUNK = 80,
  REVOKE_WAIT = 81,
  REVOKE_END = 82,

  PROCESS_BIRTH = 88,
  PROCESS_DEATH = 89,
  THREAD_BIRTH = 90,
  THREAD_DEATH = 91,
  FAULT = 92,
  CORE_BIRTH = 93,

  LOG = 96,
}

/** What a field's number is, which is how it is shown. */
export type FieldKind =
  | "thread"
  | "process"
  | "core"
  | "trap"
  | "method"
  | "type"
  | "status"
  | "life"
  | "lineKind"
  | "address"
  | "id"
  | "slot"
  | "rights"
  | "badge"
  | "bits"
  | "grace"
  | "vector"
  | "port"
  | "priority"
  | "count"
  | "flag";

/** The word of PASS and of REPLY that is their field `runs`. */
export const enum RunsWord {
  PASS = 7,
  REPLY = 6,
}

/** An event of the machine, as its decoder knows it. */
export type TraceDeclaration = EventDeclaration<readonly FieldDeclaration<FieldKind>[]>;

/** Every event by number. */
export const TRACE_EVENTS = Object.freeze({
  ...CHIPSET_EVENTS,
  [TraceEvent.TRAP_ENTER]: event(
    "trap.enter",
    "a guest's trap reaches the kernel",
    { thread: "thread" },
    { trap: "trap" },
  ),
  [TraceEvent.TRAP_LEAVE]: event(
    "trap.leave",
    "the guest that trapped goes on",
    { thread: "thread" },
    { result: "status" },
  ),
  [TraceEvent.SWITCH]: event(
    "switch",
    "another thread goes on, or begins: its trap.leave, where the record before does not say it; ready is the length of the run queue",
    { thread: "thread" },
    { result: "status" },
    { ready: "count" },
  ),
  [TraceEvent.READY]: event(
    "ready",
    "a thread enters the run queue",
    { thread: "thread" },
    { priority: "priority" },
    { ready: "count" },
  ),
  [TraceEvent.SEND]: event(
    "message.send",
    "a thread sends or calls; the id follows the message to its reply",
    { id: "id" },
    { thread: "thread" },
    { endpoint: "address" },
    { trap: "trap" },
    { badge: "badge" },
    { home: "core" },
  ),
  [TraceEvent.PASS]: event(
    "message.pass",
    "message.send and message.deliver in one: the receiver waited on the sender's core; runs is 1 if it goes on at once, and then this is its switch too",
    { id: "id" },
    { thread: "thread" },
    { receiver: "thread" },
    { endpoint: "address" },
    { trap: "trap" },
    { badge: "badge" },
    { runs: "flag" },
  ),
  [TraceEvent.QUEUE]: event(
    "message.queue",
    "nobody receives: the sender waits in the endpoint's queue",
    { id: "id" },
    { thread: "thread" },
    { endpoint: "address" },
  ),
  [TraceEvent.DELIVER]: event(
    "message.deliver",
    "the instant of transfer, on the endpoint's home core",
    { id: "id" },
    { sender: "thread" },
    { receiver: "thread" },
    { endpoint: "address" },
    { words: "count" },
    { capabilities: "count" },
  ),
  [TraceEvent.REPLY]: event(
    "message.reply",
    "a call is answered; a status below 0 is an error the kernel gives; runs is 1 if the caller goes on at once, and then this is its switch too",
    { id: "id" },
    { server: "thread" },
    { caller: "thread" },
    { status: "status" },
    { home: "core" },
    { runs: "flag" },
  ),
  [TraceEvent.ANSWERED]: event(
    "message.answered",
    "the reply has come to the caller's core",
    { id: "id" },
    { caller: "thread" },
    { status: "status" },
  ),
  [TraceEvent.SIGNAL]: event(
    "notification.signal",
    "bits are OR-ed into a notification; thread 0 is the kernel",
    { thread: "thread" },
    { notification: "address" },
    { bits: "bits" },
  ),
  [TraceEvent.SIGNALLED]: event(
    "notification.take",
    "a thread takes a notification's bits",
    { thread: "thread" },
    { notification: "address" },
    { bits: "bits" },
  ),
  [TraceEvent.BOUNCE]: event(
    "ring.bounce",
    "a request has come to a core that is not its object's home any more",
    { thread: "thread" },
    { object: "address" },
  ),
  [TraceEvent.WORDS]: event(
    "message.words",
    "words of the message, three a record, each a double from word 2 of the record on",
    { id: "id" },
  ),
  [TraceEvent.RING_PUSH]: event(
    "ring.push",
    "a line is published in the ring to a core",
    { to: "core" },
    { kind: "lineKind" },
    { thread: "thread" },
    { position: "count" },
  ),
  [TraceEvent.RING_POP]: event(
    "ring.pop",
    "a line is read from the ring of a core",
    { from: "core" },
    { kind: "lineKind" },
    { thread: "thread" },
    { position: "count" },
  ),
  [TraceEvent.DOORBELL]: event(
    "ring.doorbell",
    "attention bits are set for a core; woke is 1 if it was halted",
    { to: "core" },
    { bits: "bits" },
    { woke: "flag" },
  ),
  [TraceEvent.RING_FULL]: event(
    "ring.full",
    "a thread waits for room in the ring to a core",
    { thread: "thread" },
    { to: "core" },
  ),
  [TraceEvent.HALT]: event("halt", "the core has nothing to do and halts"),
  [TraceEvent.WAKE]: event("wake", "the core runs again, for the attention bits", { bits: "bits" }),
  [TraceEvent.INTERRUPT_DELIVER]: event("interrupt.deliver", "the core takes an interrupt", {
    vector: "vector",
  }),
  [TraceEvent.GRACE_ASK]: event("grace.ask", "a grace period begins", { grace: "grace" }),
  [TraceEvent.GRACE_TAKE]: event("grace.take", "the core has seen that it is to pass", { grace: "grace" }),
  [TraceEvent.GRACE_PASS]: event("grace.pass", "the core reports its safe point", { grace: "grace" }),
  [TraceEvent.GRACE_WAIT]: event(
    "grace.wait",
    "a thread waits for the end of a grace period",
    { thread: "thread" },
    { grace: "grace" },
  ),
  [TraceEvent.GRACE_OVER]: event(
    "grace.over",
    "a thread's wait ends: every core has passed",
    { thread: "thread" },
    { grace: "grace" },
  ),
  [TraceEvent.CAPABILITY_FILL]: event(
    "capability.fill",
    "a slot is filled from another: copy, mint, move, seal, unseal, expire",
    { thread: "thread" },
    { method: "method" },
    { type: "type" },
    { slot: "address" },
    { status: "status" },
  ),
  [TraceEvent.CAPABILITY_DELETE]: event(
    "capability.delete",
    "a slot is emptied; by thread 0, the kernel, where a capability expires or its process has ended",
    { thread: "thread" },
    { type: "type" },
    { slot: "address" },
    { object: "address" },
  ),
  [TraceEvent.CAPABILITY_RETYPE]: event(
    "capability.retype",
    "objects are made from untyped memory",
    { thread: "thread" },
    { type: "type" },
    { count: "count" },
    { untyped: "address" },
    { status: "status" },
  ),
  [TraceEvent.CAPABILITY_ARRIVE]: event(
    "capability.arrive",
    "a message brings a capability",
    { receiver: "thread" },
    { type: "type" },
    { slot: "address" },
    { object: "address" },
  ),
  [TraceEvent.OBJECT_FINALISED]: event(
    "object.finalised",
    "nothing of an object is left",
    { type: "type" },
    { object: "address" },
  ),
  [TraceEvent.REVOKE_CHUNK]: event(
    "revoke.chunk",
    "a revoke killed descendants of a slot under one hold of the tree lock; left: 0 none, 1 objects being finalised, 2 more, 3 objects in the way",
    { thread: "thread" },
    { slot: "address" },
    { left: "count" },
  ),
  [TraceEvent.REVOKE_WAIT]: event(
    "revoke.wait",
    "all are dead; the revoker waits for a grace period",
    { thread: "thread" },
    { grace: "grace" },
  ),
  [TraceEvent.REVOKE_END]: event(
    "revoke.end",
    "the contract holds from here on",
    { thread: "thread" },
    { status: "status" },
  ),
  [TraceEvent.PROCESS_BIRTH]: withText(
    event(
      "process.birth",
      "a process is configured; its name follows",
      { process: "process" },
      { parent: "process" },
      { image: "count" },
    ),
  ),
  [TraceEvent.PROCESS_DEATH]: event(
    "process.death",
    "a process has ended",
    { process: "process" },
    { life: "life" },
    { status: "status" },
  ),
  [TraceEvent.THREAD_BIRTH]: event(
    "thread.birth",
    "a thread is configured",
    { thread: "thread" },
    { process: "process" },
    { index: "count" },
    { core: "core" },
    { priority: "priority" },
  ),
  [TraceEvent.THREAD_DEATH]: event(
    "thread.death",
    "a thread has ended",
    { thread: "thread" },
    { life: "life" },
    { status: "status" },
  ),
  [TraceEvent.FAULT]: withText(
    event(
      "fault",
      "a thread faults; line and column are of its image; the text follows",
      { thread: "thread" },
      { line: "count" },
      { column: "count" },
    ),
  ),
  [TraceEvent.CORE_BIRTH]: event(
    "core.birth",
    "a worker begins to run the core; above 0, in place of one that died",
    { incarnation: "count" },
  ),
  [TraceEvent.LOG]: withText(
    event(
      "log",
      "a serial device took bytes; as many as 224 of them follow; thread 0 is the kernel",
      { thread: "thread" },
      { port: "port" },
      { bytes: "count" },
    ),
  ),
} as const satisfies Readonly<Record<number, TraceDeclaration>>);

/** What an event is, or undefined for a number that is none. */
export function traceEvent(number: number): TraceDeclaration | undefined {
  return (TRACE_EVENTS as Readonly<Record<number, TraceDeclaration>>)[number];
}

/** Names of the groups, by number: an event belongs to group `number >> 3`. */
export const TRACE_GROUPS: readonly string[] = Object.freeze([
  "frame",
  "trap",
  "switch",
  "message",
  "words",
  "ring",
  "idle",
  "interrupt",
  "grace",
  "capability",
  "revoke",
  "life",
  "log",
]);

/** What a machine traces unless told: all but the words of messages. */
export const USUAL_GROUPS = ALL_GROUPS & ~(1 << TraceGroup.WORDS);
