/**
 * The chipset: the part of the machine outside its cores. Runs in a thread of its own.
 *
 * While any core runs it looks, once a millisecond if a timer counts and less often if none does: fires LAPIC timers
 * of running cores (a halted core watches its own), and holds the watchdog. While all cores are halted it sleeps
 * until one wakes it.
 */
import { workerData } from "node:worker_threads";
import { TraceWriter } from "@capos/trace";
import { Attention, raise } from "../cpu/attention.js";
import { nowNs } from "../cpu/clock.js";
import { threadTime } from "../cpu/host-thread.js";
import { fireIfDue, Lapic, lapicOf, requestInterrupt } from "../cpu/lapic.js";
import { Patience } from "../cpu/patience.js";
import { progressOf, runLimitMs } from "../cpu/progress.js";
import { type CHIPSET_EVENTS, ChipsetEvent } from "../device/chipset-events.js";
import { ringHost } from "../device/serial-port.js";
import {
  ALARM_VECTOR,
  BootInfo,
  CoreArea,
  CoreDeath,
  CoreState,
  coreArea,
  HostEvent,
  Power,
} from "../memory/machine-map.js";
import {
  attachMemory,
  type PhysicalMemory,
  type SharedMemory,
  type WordIndex,
} from "../memory/physical-memory.js";
import { traceRings } from "../memory/recordings.js";

const TICK_MS = 1;
const SLOW_TICK_MS = 20;
/** Ticks without a running core before the chipset sleeps. */
const IDLE_TICKS = 20;
/**
 * Between DOOMED and the verdict. A core counts a heartbeat by a plain store and then loads its
 * attention; the store may still be in its CPU's store buffer. That drains in well under a microsecond.
 */
const VERDICT_MS = 20;

type ChipsetTracer = TraceWriter<typeof CHIPSET_EVENTS>;

/** What the chipset remembers of one core. */
interface Watched {
  readonly core: number;
  readonly area: WordIndex;
  readonly lapic: WordIndex;
  sequence: number;
  startedNs: number;
  heartbeat: number;
  beatNs: number;
  poked: boolean;
  progress: number;
  /** With what it is at since its last progress. */
  readonly patience: Patience;
  /** It was told that this lasts for too long. */
  spent: boolean;
}

function watch(memory: PhysicalMemory, core: number): Watched {
  const area = coreArea(memory, core);
  return {
    core,
    area,
    lapic: lapicOf(memory, core),
    sequence: 0,
    startedNs: 0,
    heartbeat: -1,
    beatNs: 0,
    poked: false,
    progress: 0,
    patience: new Patience(() => threadTime(Atomics.load(memory.i32, area + CoreArea.THREAD))),
    spent: false,
  };
}

/** Looks at one core. Answers how soon it wants to be looked at again, in milliseconds; Infinity for a halted one. */
function attend(
  memory: PhysicalMemory,
  tracer: ChipsetTracer,
  it: Watched,
  now: number,
  watchdogMs: number,
): number {
  const { i32 } = memory;
  const state = Atomics.load(i32, it.area + CoreArea.STATE);
  const attention = Atomics.load(i32, it.area + CoreArea.ATTENTION);
  if (state !== CoreState.ONLINE || (attention & Attention.HALTED) !== 0) {
    it.heartbeat = -1;
    return Number.POSITIVE_INFINITY;
  }
  const armed = Atomics.load(i32, it.lapic + Lapic.TIMER_ARMED) !== 0;
  if (armed) {
    const sequence = i32[it.lapic + Lapic.TIMER_SEQUENCE];
    if (sequence !== it.sequence) {
      it.sequence = sequence;
      it.startedNs = now;
    }
    const vector = memory.i32[it.lapic + Lapic.LVT_TIMER] & 0xff;
    if (fireIfDue(memory, it.core, it.startedNs, now))
      tracer.put2(ChipsetEvent.INTERRUPT_RAISE, it.core, vector);
  }
  guard(memory, it, now, watchdogMs);
  return armed ? TICK_MS : SLOW_TICK_MS;
}

/**
 * The watchdog: pokes a core whose heartbeat stands still, tells its guest when it has run for too long, and after
 * the limit condemns the core.
 */
function guard(memory: PhysicalMemory, it: Watched, now: number, watchdogMs: number): void {
  const { i32 } = memory;
  // Plain: nobody else writes it, and the core may see it late.
  i32[it.area + CoreArea.PULSE]++;
  const heartbeat = i32[it.area + CoreArea.HEARTBEAT];
  if (heartbeat !== it.heartbeat) {
    it.heartbeat = heartbeat;
    it.beatNs = now;
    it.poked = false;
  }
  const progress = progressOf(i32, it.area);
  // A core that has not reached its loop yet is still being brought up, which has a time limit of its own.
  if (progress !== it.progress || it.beatNs === now || heartbeat === 0) {
    it.progress = progress;
    it.patience.begin(now);
    if (it.spent) Atomics.store(i32, it.area + CoreArea.SPENT, 0);
    it.spent = false;
  }
  if (!it.poked && now - it.beatNs > (watchdogMs / 4) * 1e6) {
    it.poked = true;
    raise(memory, it.area + CoreArea.ATTENTION, Attention.POKE);
  }
  if (!it.spent) {
    it.spent = it.patience.isOver(now, runLimitMs(memory));
    if (it.spent) Atomics.store(i32, it.area + CoreArea.SPENT, progress);
  } else if (it.patience.isOver(now, watchdogMs)) judge(memory, it);
}

/** Ends a core, unless it shows a sign of life at the last moment. */
function judge(memory: PhysicalMemory, it: Watched): void {
  const { i32 } = memory;
  // One of the two must see the other: the core counts, then looks; here DOOMED is set, then the count read.
  Atomics.or(i32, it.area + CoreArea.ATTENTION, Attention.DOOMED);
  Atomics.wait(i32, BootInfo.CHIPSET_DOORBELL, 0, VERDICT_MS);
  if (progressOf(i32, it.area) !== it.progress) {
    Atomics.and(i32, it.area + CoreArea.ATTENTION, ~Attention.DOOMED);
    Atomics.notify(i32, it.area + CoreArea.ATTENTION);
    return;
  }
  Atomics.store(i32, it.area + CoreArea.DEATH, CoreDeath.WATCHDOG);
  Atomics.store(i32, it.area + CoreArea.STATE, CoreState.DYING);
  ringHost(memory, HostEvent.MACHINE_CHECK);
}

/** The alarm: fires once. Answers how soon it is due, in milliseconds; Infinity if it rests. */
function ring(memory: PhysicalMemory, tracer: ChipsetTracer, now: number): number {
  const due = memory.f64[BootInfo.ALARM_NS >> 1];
  if (now < due) return (due - now) / 1e6;
  memory.f64[BootInfo.ALARM_NS >> 1] = Number.POSITIVE_INFINITY;
  const core = memory.i32[BootInfo.BOOT_CORE];
  requestInterrupt(memory, core, ALARM_VECTOR);
  tracer.put2(ChipsetEvent.INTERRUPT_RAISE, core, ALARM_VECTOR);
  return Number.POSITIVE_INFINITY;
}

function run(memory: PhysicalMemory): void {
  const { i32 } = memory;
  const watchdogMs = i32[BootInfo.WATCHDOG_MS];
  const tracer: ChipsetTracer = new TraceWriter(memory, traceRings(memory), i32[BootInfo.CORES], nowNs);
  const watched = Array.from({ length: i32[BootInfo.CORES] }, (_, core) => watch(memory, core));
  let alarmMs = Number.POSITIVE_INFINITY;
  const soonest = (): number => {
    const now = nowNs();
    tracer.time(true);
    alarmMs = ring(memory, tracer, now);
    let next = Number.POSITIVE_INFINITY;
    for (const it of watched) next = Math.min(next, attend(memory, tracer, it, now, watchdogMs));
    tracer.publish();
    return next;
  };
  for (let idle = 0; Atomics.load(i32, BootInfo.POWER) === Power.ON; ) {
    const next = soonest();
    idle = next === Number.POSITIVE_INFINITY ? idle + 1 : 0;
    if (idle < IDLE_TICKS && next <= TICK_MS) {
      Atomics.wait(i32, BootInfo.CHIPSET_DOORBELL, 0, TICK_MS);
      continue;
    }
    // ASLEEP before the last look: who arms a timer or leaves halt after that look sees it.
    Atomics.store(i32, BootInfo.CHIPSET_ASLEEP, 1);
    const again = soonest();
    if (again > TICK_MS) {
      const pauseMs = Math.min(idle < IDLE_TICKS ? SLOW_TICK_MS : again, Math.max(alarmMs, TICK_MS));
      Atomics.wait(
        i32,
        BootInfo.CHIPSET_ASLEEP,
        1,
        pauseMs === Number.POSITIVE_INFINITY ? undefined : pauseMs,
      );
    }
    Atomics.store(i32, BootInfo.CHIPSET_ASLEEP, 0);
  }
}

run(attachMemory((workerData as { memory: SharedMemory }).memory));
