/**
 * Boot, in five phases: deaf and blind, can see, can remember, can think, alive.
 */
import { InitWord } from "@capos/abi";
import {
  BOOT_MAGIC,
  BootInfo,
  CoreArea,
  CoreState,
  coreArea,
  enableLapic,
  memoryMap,
  moduleCount,
  nowNs,
  PORT_COUNT,
  Port,
  portOf,
  RegionKind,
  resetLapic,
} from "@capos/hal";
import { admitCore } from "../loop/hot-plug.js";
import { configureThread, startHere } from "../object/thread.js";
import { TRACED } from "../state/build.js";
import type { Core } from "../state/core.js";
import { KernelPanic } from "../state/kernel-panic.js";
import { KernelInfo, Tables, Thread } from "../state/layout.js";
import { threadWords } from "../state/message.js";
import type { CoreId } from "../state/references.js";
import { traceProcess } from "../state/trace.js";
import { Vector } from "../state/vectors.js";
import { bootLine } from "./log.js";
import { buildTables, type InitResources } from "./tables.js";

/** Init runs at this priority; what it starts runs below or at it. */
const INIT_PRIORITY = 200;
/**
 * How long the boot core waits until some core, whichever, has come further, before it says that one does not answer.
 * On a busy host the last of many cores takes as long as all of them.
 */
const START_TIMEOUT_MS = 120_000;
/** Between two looks at the others meanwhile. */
const START_LOOK_MS = 1000;

/** Boots the machine on the boot core. When it returns init is ready to run. */
export function boot(k: Core): void {
  const { i32, memory } = k;
  const startedNs = nowNs();
  if (i32[BootInfo.MAGIC] !== BOOT_MAGIC) throw new KernelPanic("no boot information in frame 0");
  bootLine(k, startedNs, "phase 1 of 5, deaf and blind: serial line works");

  const free = memoryMap(memory).find((region) => region.kind === RegionKind.FREE)!;
  bootLine(
    k,
    startedNs,
    `phase 2 of 5, can see: ${k.coreCount} cores on ${i32[BootInfo.HARDWARE_THREADS]} hardware threads, ` +
      `${i32[BootInfo.MEMORY_PAGES] / 256} MiB, ${(free.bytes / 2 ** 20).toFixed(1)} MiB free, ${moduleCount(memory)} images`,
  );

  if (moduleCount(memory) === 0) throw new KernelPanic("no image of init among the boot modules");
  const resources = buildTables(k);
  k.f64[(k.tables + Tables.BOOT_STARTED_NS) >> 1] = startedNs;
  bootLine(
    k,
    startedNs,
    `phase 3 of 5, can remember: ${i32[k.tables + Tables.THREAD_LIMIT]} threads at most, ` +
      `${(resources.freeBytes / 2 ** 20).toFixed(1)} MiB untyped in ${resources.untypedCount} blocks`,
  );

  prepareCore(k);
  Atomics.add(i32, KernelInfo.AWAKE, 1);
  routePorts(k);
  Atomics.store(i32, k.area + CoreArea.STATE, CoreState.ONLINE);
  startOthers(k);
  const online = Array.from({ length: k.coreCount }, (_, core) => core).filter(
    (core) => !isAbsent(k, core as CoreId),
  ).length;
  bootLine(k, startedNs, `phase 4 of 5, can think: ${online} ${online === 1 ? "core" : "cores"} online`);

  startInit(k, resources);
  k.f64[(k.tables + Tables.INIT_STARTED_NS) >> 1] = nowNs();
  bootLine(k, startedNs, "phase 5 of 5, alive: init runs");
}

/** What every core does before it takes part: LAPIC, engine. */
export function prepareCore(k: Core): void {
  resetLapic(k.memory, k.id);
  enableLapic(k.memory, k.id, Vector.SPURIOUS);
  equipCore(k);
}

/** Makes what runs the core's guests, once. */
export function equipCore(k: Core): void {
  k.engine ??= k.parts.makeEngine(k);
}

/** Serial devices interrupt the boot core. */
function routePorts(k: Core): void {
  for (let number = 0; number < PORT_COUNT; number++) {
    const port = portOf(k.memory, number);
    k.i32[port + Port.IRQ_CORE] = k.id;
    Atomics.store(k.i32, port + Port.IRQ_VECTOR, Vector.PORT + number);
  }
}

/** INIT, then start-up, to each core once it is there; then until all are online. */
function startOthers(k: Core): void {
  for (let core = 0 as CoreId; core < k.coreCount; core++) {
    if (core === k.id || isAbsent(k, core)) continue;
    awaitState(k, core, CoreState.OFFLINE);
    admitCore(k, core);
  }
  for (let core = 0 as CoreId; core < k.coreCount; core++) {
    if (core !== k.id && !isAbsent(k, core)) awaitState(k, core, CoreState.WAIT_FOR_STARTUP);
  }
}

/** An empty socket: a core may be plugged in later. */
function isAbsent(k: Core, core: CoreId): boolean {
  return Atomics.load(k.i32, coreArea(k.memory, core) + CoreArea.STATE) === CoreState.ABSENT;
}

/** Waits while a core is in a state, or one before it. */
function awaitState(k: Core, core: CoreId, state: CoreState): void {
  const word = coreArea(k.memory, core) + CoreArea.STATE;
  let came = statesOf(k);
  let cameNs = nowNs();
  for (;;) {
    const now = Atomics.load(k.i32, word);
    if (now > state) return;
    if (Atomics.wait(k.i32, word, now, START_LOOK_MS) !== "timed-out") continue;
    const states = statesOf(k);
    if (states !== came) {
      came = states;
      cameNs = nowNs();
    } else if (nowNs() - cameNs > START_TIMEOUT_MS * 1e6)
      throw new KernelPanic(`core ${core} does not start`);
  }
}

/** A number that is another one whenever a core has come further. */
function statesOf(k: Core): number {
  let sum = 0;
  for (let core = 0; core < k.coreCount; core++)
    sum += Atomics.load(k.i32, coreArea(k.memory, core) + CoreArea.STATE);
  return sum;
}

function startInit(k: Core, resources: InitResources): void {
  const { f64 } = k;
  const { thread } = resources;
  if (TRACED) traceProcess(k, resources.process, 0, 0);
  configureThread(k, thread, resources.process, k.id, INIT_PRIORITY);
  const words = threadWords(thread);
  f64[words + InitWord.GENERATION] = resources.generation;
  f64[words + InitWord.UNTYPED_COUNT] = resources.untypedCount;
  f64[words + InitWord.CORES] = k.coreCount;
  k.i32[thread + Thread.START_WORDS] = InitWord.COUNT;
  startHere(k, thread);
}
