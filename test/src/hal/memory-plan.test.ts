import { MAX_CORES, MAX_MEMORY_MIB, MIN_MEMORY_MIB } from "@capos/abi";
import {
  BootInfo,
  CoreArea,
  LINE_WORDS,
  MAX_RING_LINES,
  type MachinePlan,
  MachinePlanError,
  MIN_RING_LINES,
  memoryMap,
  PAGE_BYTES,
  PAGE_WORDS,
  type PhysicalMemory,
  PORT_COUNT,
  PORT_WORDS,
  planMachine,
  RegionKind,
  writeBootInfo,
} from "@capos/hal";
import fc from "fast-check";
import t from "tap";
import { useSeed } from "../support/machine.js";

useSeed(t);

const MIB = 2 ** 20;
const plan = (cores: number, memoryMiB: number): MachinePlan =>
  planMachine({ cores, memoryMiB, hardwareThreads: 2, seed: 7, watchdogMs: 1000 });

/** Frame 0 alone: all that the memory map reads, without the gigabytes behind it. */
function frameZero(made: MachinePlan): PhysicalMemory {
  const memory = {
    i32: new Int32Array(PAGE_WORDS),
    f64: new Float64Array(0),
    u8: new Uint8Array(0),
    u16: new Uint16Array(0),
  };
  writeBootInfo(memory, made);
  return memory;
}

/** What is wrong with a plan, or "". */
function flaw(made: MachinePlan): string {
  const { cores, memoryMiB, ringLines } = made;
  const regions = memoryMap(frameZero(made));
  const needs = [
    PAGE_BYTES,
    cores * CoreArea.WORDS * 4,
    cores * cores * ringLines * LINE_WORDS * 4,
    PORT_COUNT * PORT_WORDS * 4,
    2 * PAGE_BYTES,
    4 * MIB,
  ];
  let at = 0;
  for (const [i, region] of regions.entries()) {
    if (region.address !== at)
      return `${region.name} begins at ${region.address}, the one before ends at ${at}`;
    if (region.address % PAGE_BYTES !== 0) return `${region.name} is not on a page boundary`;
    if (region.bytes < needs[i]) return `${region.name} has ${region.bytes} bytes of ${needs[i]}`;
    at += region.bytes;
  }
  if (regions.length !== needs.length) return `${regions.length} regions`;
  if (at !== memoryMiB * MIB) return `the map ends at ${at}`;
  const free = regions.at(-1)!;
  if (
    free.kind !== RegionKind.FREE ||
    free.address !== made.free * 4 ||
    free.bytes !== made.freePages * PAGE_BYTES
  )
    return "the free region is not the plan's";
  if (regions[4].bytes !== made.modulePages * PAGE_BYTES) return "the module region is not the plan's";
  return "";
}

const anyMachine = fc.tuple(
  fc.integer({ min: 1, max: MAX_CORES }),
  fc.oneof(
    fc.integer({ min: MIN_MEMORY_MIB, max: 80 }),
    fc.integer({ min: MIN_MEMORY_MIB, max: MAX_MEMORY_MIB }),
  ),
);

t.test(
  "the regions of every machine lie one behind the other, each as large as it must be, and cover its memory",
  (t) => {
    for (let cores = 1; cores <= MAX_CORES; cores++) {
      for (const memoryMiB of [MIN_MEMORY_MIB, 17, 31, 32, 64, 255, 256, 1024, MAX_MEMORY_MIB]) {
        const wrong = flaw(plan(cores, memoryMiB));
        if (wrong !== "") t.fail(`${cores} cores, ${memoryMiB} MiB: ${wrong}`);
      }
    }
    fc.assert(fc.property(anyMachine, ([cores, memoryMiB]) => flaw(plan(cores, memoryMiB)) === ""));
    t.end();
  },
);

t.test(
  "ring lines are the largest power of two from 4 to 64 that keeps all rings within an eighth of memory",
  (t) => {
    fc.assert(
      fc.property(anyMachine, ([cores, memoryMiB]) => {
        const { ringLines } = plan(cores, memoryMiB);
        const fits = (lines: number): boolean => cores * cores * lines * 64 <= (memoryMiB * MIB) / 8;
        return (
          (ringLines & (ringLines - 1)) === 0 &&
          ringLines >= MIN_RING_LINES &&
          ringLines <= MAX_RING_LINES &&
          fits(ringLines) &&
          (ringLines === MAX_RING_LINES || !fits(ringLines * 2))
        );
      }),
    );
    t.equal(plan(64, 16).ringLines, 8, "64 cores in 16 MiB get short rings");
    t.equal(plan(64, 128).ringLines, 64, "and in 128 MiB full ones");
    t.end();
  },
);

t.test(
  "64 cores in 16 MiB, the machine whose full rings would fill its memory, leave 4 MiB to hand out",
  (t) => {
    t.ok(plan(MAX_CORES, MIN_MEMORY_MIB).freePages * PAGE_BYTES >= 4 * MIB);
    t.end();
  },
);

/** The refusal's text, or "" if there was none. */
function refusal(cores: number, memoryMiB: number): string {
  try {
    plan(cores, memoryMiB);
    return "";
  } catch (error) {
    if (!(error instanceof MachinePlanError)) throw error;
    return error.message;
  }
}

t.test("a number of cores out of range is refused with the range, whose ends work", (t) => {
  for (const cores of [0, -1, 65, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32 + 1]) {
    const [, low, high] =
      /^cores: .* is out of range, (\d+) to (\d+) are possible$/.exec(refusal(cores, 256)) ?? [];
    t.equal(refusal(Number(low), 256), "", `${cores} cores: ${low} is enough`);
    t.equal(refusal(Number(high), 256), "", `${cores} cores: ${high} is not too many`);
    t.not(refusal(Number(high) + 1, 256), "");
    t.not(refusal(Number(low) - 1, 256), "");
  }
  t.end();
});

t.test(
  "an amount of memory out of range is refused with the range, whose ends work with any number of cores",
  (t) => {
    for (const memoryMiB of [0, 15, 4097, 16.5, -256, Number.NaN, Number.POSITIVE_INFINITY]) {
      const [, low, high] =
        /^memory: .* MiB is out of range, (\d+) to (\d+) MiB are possible$/.exec(refusal(2, memoryMiB)) ?? [];
      for (const cores of [1, 64]) {
        t.equal(refusal(cores, Number(low)), "", `${memoryMiB} MiB: ${low} is enough for ${cores}`);
        t.equal(refusal(cores, Number(high)), "", `${memoryMiB} MiB: ${high} is not too much for ${cores}`);
      }
      t.not(refusal(2, Number(low) - 1), "");
      t.not(refusal(2, Number(high) + 1), "");
    }
    t.end();
  },
);

t.test("a refusal for too little memory names an amount that works", (t) => {
  fc.assert(
    fc.property(anyMachine, ([cores, memoryMiB]) => {
      const text = refusal(cores, memoryMiB);
      if (text === "") return true;
      const needed = Number(/at least (\d+) MiB/.exec(text)?.[1]);
      return needed > memoryMiB && refusal(cores, needed) === "";
    }),
  );
  t.end();
});

t.test("frame 0 says all that the plan says", (t) => {
  const made = plan(5, 40);
  const { i32 } = frameZero(made);
  t.same(
    [
      BootInfo.CORES,
      BootInfo.MEMORY_PAGES,
      BootInfo.HARDWARE_THREADS,
      BootInfo.CORE_AREAS,
      BootInfo.RINGS,
      BootInfo.RING_LINES,
      BootInfo.PORTS,
      BootInfo.MODULES,
      BootInfo.MODULE_PAGES,
      BootInfo.FREE,
      BootInfo.FREE_PAGES,
      BootInfo.SEED,
      BootInfo.WATCHDOG_MS,
    ].map((word) => i32[word]),
    [
      5,
      40 * 256,
      2,
      made.coreAreas,
      made.rings,
      made.ringLines,
      made.ports,
      made.modules,
      made.modulePages,
      made.free,
      made.freePages,
      7,
      1000,
    ],
  );
  t.end();
});
