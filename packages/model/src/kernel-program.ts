/**
 * The transformed kernel, as its callers see it: what touches shared memory is a coroutine. Of a method the
 * coroutine's name ends in `$`; the plain one is for set-up code, which runs at once.
 */

import type { Coroutine } from "@capos/explorer";
import type { PhysicalMemory, WordIndex } from "@capos/hal";
import type { Core, CoreParts } from "@capos/kernel/internal";

/** A core's ends of its rings, transformed. */
export interface CheckedRing {
  reserve$(to: number): Coroutine<WordIndex>;
  publish$(to: number, line: WordIndex, kind: number): Coroutine<number>;
  peek$(from: number): Coroutine<WordIndex>;
  kind$(line: WordIndex): Coroutine<number>;
  release$(from: number): Coroutine<void>;
}

export interface Program {
  readonly Core: new (id: number, memory: PhysicalMemory, parts: CoreParts) => Core;
  readonly PARTS: CoreParts;
  readonly RingPort: new (memory: PhysicalMemory, core: number) => CheckedRing;
  run(k: Core): Coroutine<void>;
  watchRing(k: Core, from: number): Coroutine<number>;
  startHere(k: Core, thread: WordIndex): Coroutine<number>;
  raise(memory: PhysicalMemory, word: WordIndex, bits: number): Coroutine<void>;
  halt(memory: PhysicalMemory, word: WordIndex, timeoutMs: number): Coroutine<void>;
}
