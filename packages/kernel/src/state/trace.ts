/**
 * Trace points that say more than what is at hand where they stand. Each is called only in a
 * kernel that has them.
 */
import { Reg, Slot, SlotBits, utf8Encode } from "@capos/abi";
import type { Context } from "@capos/engine";
import { CoreArea } from "@capos/hal";
import type { Core } from "./core.js";
import { Endpoint, KernelArea, Message, MessageFlag, Process, Thread } from "./layout.js";
import { capabilityCount, wordCount } from "./message.js";
import type {
  CoreId,
  EndpointRef,
  LineRef,
  NotificationRef,
  PhysicalAddress,
  ProcessRef,
  SlotRef,
  ThreadRef,
} from "./references.js";
import { RunsWord, TraceEvent } from "./trace-events.js";

/** A message's id: the core it is sent from above these, a count of its messages in them. */
const ID_SHIFT = 26;
const ID_MASK = (1 << ID_SHIFT) - 1;

/** A worker begins. Every message is a record at least: no id that an earlier worker of the core gave is near. */
export function traceBirth(k: Core): void {
  k.messages = k.tracer.recorded & ID_MASK;
  k.tracer.put1(TraceEvent.CORE_BIRTH, k.i32[k.area + CoreArea.INCARNATION]);
}

/** Number of a thread; 0, which stands for the kernel, for none. */
function numberOf(k: Core, thread: ThreadRef | 0): number {
  return thread === 0 ? 0 : k.i32[thread + Thread.NUMBER];
}

/** The guest of the running thread is about to go on. */
export function traceResume(k: Core, context: Context): void {
  const { i32, current } = k;
  const noted = k.runsNoted;
  if (noted !== 0) {
    k.runsNoted = 0;
    // Told, even where a more urgent thread has taken the core from it since.
    k.ran = noted;
    if (noted === current) return;
  }
  const number = i32[current + Thread.NUMBER];
  if (current === k.ran) k.tracer.put2(TraceEvent.TRAP_LEAVE, number, context.result);
  else {
    k.ran = current;
    k.tracer.put3(TraceEvent.SWITCH, number, context.result, i32[k.kernelArea + KernelArea.READY_COUNT]);
  }
}

/**
 * Whoever the message or the reply just traced is for has been made the running thread: the record says so, and
 * needs no SWITCH behind it. Where it cannot, having ended its batch, that follows as usual.
 */
export function traceRuns(k: Core): void {
  const { tracer } = k;
  const isSaid =
    tracer.amend(TraceEvent.PASS, RunsWord.PASS, 1) || tracer.amend(TraceEvent.REPLY, RunsWord.REPLY, 1);
  k.runsNoted = isSaid ? k.current : 0;
}

/** The guest of the running thread has trapped, or ended. */
export function traceTrap(k: Core, trap: number): void {
  if (k.ranLong) k.tracer.time(true);
  k.tracer.put2(TraceEvent.TRAP_ENTER, k.i32[k.current + Thread.NUMBER], trap);
}

/** A line is about to be published. The times here and in `tracePop` put the events of two cores in their order. */
export function tracePush(k: Core, to: CoreId, line: LineRef, kind: number): void {
  const position = k.i32[k.area + CoreArea.RING_WRITE + to];
  k.tracer.put4(TraceEvent.RING_PUSH, to, kind & MessageFlag.KIND_MASK, threadIn(k, line, kind), position);
  k.tracer.time(false);
}

/** A line is about to be read. */
export function tracePop(k: Core, from: number, line: LineRef): void {
  const position = k.i32[k.area + CoreArea.RING_READ + from];
  const kind = k.ring.kind(line);
  k.tracer.time(false);
  k.tracer.put4(TraceEvent.RING_POP, from, kind & MessageFlag.KIND_MASK, threadIn(k, line, kind), position);
}

/** Where lines of all kinds but a nudge have the thread that they are about. */
const LINE_THREAD = 1;

/** The number of the thread that a line is about, 0 for a nudge and where nobody waits for an answer. */
function threadIn(k: Core, line: LineRef, kind: number): number {
  if ((kind & MessageFlag.KIND_MASK) === Message.NUDGE) return 0;
  const thread = k.i32[line + LINE_THREAD];
  return thread === 0 ? 0 : k.i32[thread + Thread.NUMBER];
}

/** The core is about to halt: what it wrote can be read from outside meanwhile. */
export function traceHalt(k: Core): void {
  // It has polled for a while: that was not the time of the events before.
  k.tracer.time(true);
  k.tracer.put0(TraceEvent.HALT);
  k.tracer.time(false);
  k.tracer.publish();
}

/** The core stops for good. */
export function traceEnd(k: Core): void {
  k.tracer.time(false);
  k.tracer.publish();
}

/** The core was woken, by the bits of its attention word or by its timer. */
export function traceWake(k: Core): void {
  k.tracer.time(true);
  k.tracer.put1(TraceEvent.WAKE, k.i32[k.attention]);
}

/** The running thread offers a message: it gets its id. A trap that starts again offers it again, as another. */
export function traceSend(
  k: Core,
  thread: ThreadRef,
  slot: SlotRef,
  endpoint: EndpointRef,
  message: number,
): void {
  const { i32 } = k;
  k.tracer.put6(
    TraceEvent.SEND,
    nextId(k, thread),
    i32[thread + Thread.NUMBER],
    endpoint,
    message,
    i32[slot + Slot.BADGE],
    i32[endpoint + Endpoint.HOME] as CoreId,
  );
}

/** The same where a receiver of this core waits. */
export function tracePass(
  k: Core,
  thread: ThreadRef,
  slot: SlotRef,
  endpoint: EndpointRef,
  receiver: ThreadRef,
  message: number,
  regs: Float64Array,
): void {
  const { i32, tracer } = k;
  const id = nextId(k, thread);
  tracer.put7(
    TraceEvent.PASS,
    id,
    i32[thread + Thread.NUMBER],
    i32[receiver + Thread.NUMBER],
    endpoint,
    message,
    i32[slot + Slot.BADGE],
    0,
  );
  tracer.doubles(TraceEvent.WORDS, id, wordCount(message), regs, Reg.WORDS);
}

function nextId(k: Core, thread: ThreadRef): number {
  k.messages = (k.messages + 1) & ID_MASK;
  const id = (k.id << ID_SHIFT) | k.messages;
  k.i32[thread + Thread.MESSAGE_ID] = id;
  return id;
}

/** Nobody receives: the sender is queued. */
export function traceQueue(k: Core, thread: ThreadRef, endpoint: EndpointRef): void {
  const { i32 } = k;
  k.tracer.put3(TraceEvent.QUEUE, i32[thread + Thread.MESSAGE_ID], i32[thread + Thread.NUMBER], endpoint);
}

/** A message is being transferred. */
export function traceDelivery(
  k: Core,
  endpoint: EndpointRef,
  sender: ThreadRef,
  receiver: ThreadRef,
  message: number,
  words: Float64Array,
  wordsAt: number,
): void {
  const { i32 } = k;
  const tracer = k.tracer;
  const id = i32[sender + Thread.MESSAGE_ID];
  tracer.put6(
    TraceEvent.DELIVER,
    id,
    i32[sender + Thread.NUMBER],
    i32[receiver + Thread.NUMBER],
    endpoint,
    wordCount(message),
    capabilityCount(message),
  );
  tracer.doubles(TraceEvent.WORDS, id, wordCount(message), words, wordsAt);
}

/** Bits are about to be OR-ed into a notification, by a thread or, where it is 0, by the kernel. */
export function traceSignal(
  k: Core,
  thread: ThreadRef | 0,
  notification: NotificationRef,
  bits: number,
): void {
  k.tracer.put3(TraceEvent.SIGNAL, numberOf(k, thread), notification, bits);
}

/** A thread is given a notification's bits. */
export function traceTake(k: Core, thread: ThreadRef, notification: NotificationRef, bits: number): void {
  k.tracer.put3(TraceEvent.SIGNALLED, k.i32[thread + Thread.NUMBER], notification, bits);
}

/** Something happens to the capability in a slot, by a thread or, where it is 0, by the kernel. */
export function traceSlot(
  k: Core,
  event: TraceEvent.CAPABILITY_DELETE | TraceEvent.CAPABILITY_ARRIVE,
  thread: ThreadRef | 0,
  slot: SlotRef,
): void {
  const { i32 } = k;
  k.tracer.put4(event, numberOf(k, thread), typeIn(k, slot), slot, i32[slot + Slot.OBJECT]);
}

/** A slot was filled from another of the invoker's, or was not. */
export function traceFill(k: Core, thread: ThreadRef, method: number, slot: SlotRef, status: number): void {
  const { i32 } = k;
  const number = i32[thread + Thread.NUMBER];
  k.tracer.put5(TraceEvent.CAPABILITY_FILL, number, method, typeIn(k, slot), slot, status);
}

function typeIn(k: Core, slot: SlotRef): number {
  return (k.i32[slot] & SlotBits.TYPE_MASK) >> SlotBits.TYPE_SHIFT;
}

/** A process was configured; init by nobody. */
export function traceProcess(k: Core, process: ProcessRef, parent: ProcessRef | 0, image: number): void {
  const { i32, tracer } = k;
  const number = i32[process + Process.NUMBER];
  tracer.put3(TraceEvent.PROCESS_BIRTH, number, parent === 0 ? 0 : i32[parent + Process.NUMBER], image);
  const name = ((process + Process.NAME) * 4) as PhysicalAddress;
  tracer.text(TraceEvent.PROCESS_BIRTH, k.memory.u8, name, i32[process + Process.NAME_BYTES]);
}

/** A thread was configured. */
export function traceThread(k: Core, thread: ThreadRef): void {
  const { i32 } = k;
  k.tracer.put5(
    TraceEvent.THREAD_BIRTH,
    i32[thread + Thread.NUMBER],
    i32[i32[thread + Thread.PROCESS] + Process.NUMBER],
    i32[thread + Thread.INDEX],
    i32[thread + Thread.HOME] as CoreId,
    i32[thread + Thread.PRIORITY],
  );
}

/** A thread has ended. Its memory may be another thread's when this core runs one again. */
export function traceDeath(k: Core, thread: ThreadRef, life: number, status: number): void {
  if (k.ran === thread) k.ran = 0;
  k.tracer.put3(TraceEvent.THREAD_DEATH, k.i32[thread + Thread.NUMBER], life, status);
}

/** A thread faults. */
export function traceFault(k: Core, thread: ThreadRef, line: number, column: number, text: string): void {
  k.tracer.put3(TraceEvent.FAULT, k.i32[thread + Thread.NUMBER], line, column);
  const bytes = utf8Encode(text);
  k.tracer.text(TraceEvent.FAULT, bytes, 0, bytes.length);
}

/** Bytes have gone to a serial device, from a thread or, where it is 0, from the kernel. */
export function traceLog(
  k: Core,
  thread: ThreadRef | 0,
  port: number,
  bytes: { readonly [index: number]: number },
  count: number,
): void {
  k.tracer.put3(TraceEvent.LOG, numberOf(k, thread), port, count);
  k.tracer.text(TraceEvent.LOG, bytes, 0, count);
}

/** The reply to a call from this core has come from another. */
export function traceAnswered(k: Core, caller: ThreadRef, status: number): void {
  const { i32 } = k;
  k.tracer.put3(TraceEvent.ANSWERED, i32[caller + Thread.MESSAGE_ID], i32[caller + Thread.NUMBER], status);
}

/** A call is answered, with as many words as `status` says, or with an error. Read while the caller waits: its id is the call's. */
export function traceReply(
  k: Core,
  server: number,
  caller: ThreadRef,
  status: number,
  words: Float64Array,
  wordsAt: number,
): void {
  const { i32 } = k;
  const tracer = k.tracer;
  const id = i32[caller + Thread.MESSAGE_ID];
  tracer.put6(
    TraceEvent.REPLY,
    id,
    server,
    i32[caller + Thread.NUMBER],
    status,
    i32[caller + Thread.HOME] as CoreId,
    0,
  );
  tracer.doubles(TraceEvent.WORDS, id, status, words, wordsAt);
}
