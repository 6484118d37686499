/**
 * The thread in which calls are made: a hardened realm with the checks that guests have, as on a core. Says in shared words
 * how far it is, and in a file what it does, which outlives the process.
 */
import { writeSync } from "node:fs";
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { workerData } from "node:worker_threads";
import type { EngineCore } from "@capos/engine";
import { compileProgram, GuestHeap, hardenRealm, makeClock } from "@capos/engine/generator";
import { CoreArea, hostThread, Mmu } from "@capos/hal";
import type { Caller } from "./guest.js";
import { AREA, type CallerData, Phase, Word } from "./protocol.js";

/** Garbage is collected at this size; what is not, ends the call that was made. */
const MAX_HEAP_BYTES = 2 ** 30;
const NAME_BYTES = 256;

type Program = (...checks: unknown[]) => (caller: Caller) => Iterator<number>;

const { code, seed, from, words, file } = workerData as CallerData;

const shared = new Int32Array(words);
const i32 = shared.subarray(Word.MEMORY);

setFlagsFromString("--expose-gc");
const collect = runInNewContext("globalThis.gc") as () => void;

const memory = { i32, f64: new Float64Array(), u8: new Uint8Array(), u16: new Uint16Array() };
const context = {} as EngineCore["context"];
let runs = false;
const core = {
  ...{ id: 0, i32, area: AREA, current: 1, context, contexts: [null, context] },
  ...{ memory, mmu: new Mmu(memory), enterSpace: () => false },
  ...{ condemned: 0, overBudget: false, ranLong: false },
  isWanted: () => false,
  inGuest: () => runs,
};

/** With room for what the calls take, beside what a guest may have. */
class RoomyHeap extends GuestHeap {
  override look(): number {
    if (usedBytes() < MAX_HEAP_BYTES) return 0;
    collect();
    return usedBytes() < MAX_HEAP_BYTES ? 0 : 1;
  }
}
const usedBytes = () => getHeapStatistics().used_heap_size;
const { checks } = makeClock(core, new RoomyHeap(core));

hardenRealm(() => {
  if (core.inGuest()) checks.work();
});
const program = compileProgram(code, "calls") as unknown as Program;
/** The guest goes on after a call that it was condemned in. */
const caught = () => {
  core.condemned = 0;
};
const main = program(
  checks.tick,
  checks.tickMain,
  caught,
  checks.spread,
  checks.assigned,
  checks.notATrap,
  checks.dropped,
);

Atomics.store(shared, Word.THREAD, hostThread());
const turns = main({
  seed,
  from,
  total: (count) => void Atomics.store(shared, Word.TOTAL, count),
  begin(position, name) {
    writeSync(file, `${position} ${name}`.padEnd(NAME_BYTES).slice(0, NAME_BYTES), 0);
    i32[AREA + CoreArea.HEARTBEAT] = 1;
    i32[AREA + CoreArea.TURNS] = 0;
    Atomics.store(i32, AREA + CoreArea.SPENT, 0);
    Atomics.store(shared, Word.POSITION, position);
    Atomics.store(shared, Word.PHASE, Phase.CALLS);
    runs = true;
  },
});
for (;;) {
  const { done } = turns.next();
  runs = false;
  core.condemned = 0;
  Atomics.store(shared, Word.PHASE, Phase.PREPARES);
  if (done === true) break;
}
Atomics.store(shared, Word.PHASE, Phase.OVER);
