import { Err } from "@capos/abi";
import { type Block, type BlockOperations, BlockPool, IpcError, type Steps } from "@capos/libos";
import fc from "fast-check";
import t from "tap";

/** Where a block lies, and what is done with it. */
interface Place {
  readonly start: number;
  readonly end: number;
  isSplit: boolean;
}

/** A kernel that knows where blocks are, and has only so many slots for halves. */
class FakeMemory implements BlockOperations {
  readonly places = new Map<number, Place>();
  readonly emptied: number[] = [];
  splits = 0;
  #nextHandle = 1;
  #nextStart = 0;

  constructor(public slots = 1e6) {}

  /** Memory of 2^bits bytes, aligned to its size, apart from all other. */
  root(bits: number): number {
    const start = Math.ceil(this.#nextStart / 2 ** bits) * 2 ** bits;
    this.#nextStart = start + 2 ** bits;
    return this.#add(start, 2 ** bits);
  }

  #add(start: number, size: number): number {
    const handle = this.#nextHandle++;
    this.places.set(handle, { start, end: start + size, isSplit: false });
    return handle;
  }

  // biome-ignore lint/correctness/useYield: nothing here waits
  *split({ handle, bits }: Block): Steps<readonly [number, number]> {
    if (this.slots < 2) throw new IpcError(Err.NO_RESOURCE, "slots");
    const place = this.places.get(handle)!;
    if (place.isSplit || place.end - place.start !== 2 ** bits) throw new Error(`${handle} cannot be split`);
    place.isSplit = true;
    this.slots -= 2;
    this.splits++;
    const half = 2 ** (bits - 1);
    return [this.#add(place.start, half), this.#add(place.start + half, half)];
  }

  // biome-ignore lint/correctness/useYield: nothing here waits
  *merge(low: number, high: number): Steps<void> {
    const [a, b] = [this.places.get(low)!, this.places.get(high)!];
    if (a.isSplit || b.isSplit || a.end !== b.start) throw new Error(`${low} and ${high} cannot be merged`);
    this.places.delete(low);
    this.places.delete(high);
    this.slots += 2;
    for (const place of this.places.values())
      if (place.start === a.start && place.end === b.end) place.isSplit = false;
  }

  // biome-ignore lint/correctness/useYield: nothing here waits
  *empty({ handle }: Block): Steps<void> {
    if (this.places.get(handle)!.isSplit) throw new Error(`${handle} is split`);
    this.emptied.push(handle);
  }
}

/** Runs steps that do not trap. */
function run<T>(steps: Steps<T>): T {
  const step = steps.next();
  if (!step.done) throw new Error("it traps");
  return step.value;
}

function poolOf(memory: FakeMemory, roots: readonly number[]): BlockPool {
  const pool = new BlockPool(memory);
  for (const bits of roots) run(pool.give(pool.adopt(memory.root(bits), bits)));
  return pool;
}

function sizeOf(blocks: readonly Block[]): number {
  return blocks.reduce((sum, { bits }) => sum + 2 ** bits, 0);
}

const roots = fc.array(fc.integer({ min: 6, max: 14 }), { minLength: 1, maxLength: 4 });
const wish = fc.oneof(
  fc.record({ take: fc.integer({ min: 5, max: 15 }) }),
  fc.record({ give: fc.nat({ max: 1000 }) }),
);

t.test("no two blocks that are taken overlap, and what is given back is whole again", (t) => {
  fc.assert(
    fc.property(roots, fc.array(wish, { maxLength: 60 }), (roots, wishes) => {
      const memory = new FakeMemory();
      const pool = poolOf(memory, roots);
      const total = roots.reduce((sum, bits) => sum + 2 ** bits, 0);
      const taken: Block[] = [];
      for (const wish of wishes) {
        if ("take" in wish) {
          const promised = pool.missing([wish.take]) === null;
          const block = run(pool.take(wish.take));
          if ((block !== null) !== promised) throw new Error("a block is had exactly if it is not missing");
          if (block === null) continue;
          if (block.bits !== wish.take) throw new Error("a block has the size that was asked for");
          taken.push(block);
        } else if (taken.length > 0) {
          run(pool.give(taken.splice(wish.give % taken.length, 1)[0]));
        }
        if (pool.freeBytes !== total - sizeOf(taken)) throw new Error("bytes are lost or doubled");
        const places = taken.map(({ handle }) => memory.places.get(handle)!);
        places.sort((a, b) => a.start - b.start);
        for (let i = 1; i < places.length; i++)
          if (places[i].start < places[i - 1].end) throw new Error("two blocks overlap");
      }
      for (const block of taken) run(pool.give(block));
      // Each root can be taken as it was, all of them at one time.
      if (pool.missing(roots) !== null) throw new Error("something was not merged");
      const again = [...roots].sort((a, b) => b - a).map((bits) => run(pool.take(bits)));
      if (again.includes(null) || memory.places.size !== roots.length) throw new Error("a root is not whole");
      return pool.freeBytes === 0 && pool.largestBytes === 0;
    }),
    { numRuns: 500 },
  );
  t.end();
});

t.test("several blocks can be had, the largest first, exactly if none is missing", (t) => {
  const sizes = fc.array(fc.integer({ min: 5, max: 14 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(roots, fc.array(wish, { maxLength: 30 }), sizes, (roots, wishes, sizes) => {
      const memory = new FakeMemory();
      const pool = poolOf(memory, roots);
      const taken: Block[] = [];
      for (const wish of wishes) {
        const block = "take" in wish ? run(pool.take(wish.take)) : null;
        if (block !== null) taken.push(block);
        else if ("give" in wish && taken.length > 0)
          run(pool.give(taken.splice(wish.give % taken.length, 1)[0]));
      }
      const before = pool.largestBytes;
      const missing = pool.missing(sizes);
      if (pool.largestBytes !== before) throw new Error("asking changes nothing");
      const order = [...sizes].sort((a, b) => b - a);
      const refused = order.find((bits) => run(pool.take(bits)) === null);
      return (refused ?? null) === missing;
    }),
    { numRuns: 500 },
  );
  t.end();
});

t.test("a size that is wanted again and again is split once", (t) => {
  const memory = new FakeMemory();
  const pool = poolOf(memory, [20]);
  for (let i = 0; i < 1000; i++) {
    const two = [run(pool.take(14))!, run(pool.take(10))!];
    for (const block of two) run(pool.give(block));
  }
  t.equal(memory.splits, 10);
  t.equal(memory.emptied.length, 2001, "each block is emptied each time, and the root once");
  t.end();
});

t.test("free halves are merged when the slots for a split have run out", (t) => {
  const memory = new FakeMemory(16);
  const pool = poolOf(memory, [16, 16]);
  run(pool.give(run(pool.take(8))!));
  t.same([memory.splits, memory.slots], [8, 0]);
  const first = run(pool.take(15))!;
  t.same([memory.splits, memory.slots], [8, 0], "there was a half");
  const second = run(pool.take(15))!;
  t.same(
    [memory.splits, memory.slots],
    [8, 14],
    "the other half, merged, though a whole block was there to split",
  );
  t.equal(memory.places.get(second.handle)!.end, memory.places.get(first.handle)!.start);
  t.equal(run(pool.take(16))!.bits, 16, "which it still is");
  t.end();
});

t.test("a split that is refused leaves the pool as it was", (t) => {
  const memory = new FakeMemory(4);
  const pool = poolOf(memory, [16]);
  t.throws(() => run(pool.take(8)), { code: Err.NO_RESOURCE });
  t.equal(pool.freeBytes, 2 ** 16);
  t.equal(pool.missing([16]), null);
  t.equal(run(pool.take(16))!.bits, 16);
  t.equal(memory.slots, 4);
  t.end();
});

t.test("only what was taken can be given", (t) => {
  const memory = new FakeMemory();
  const pool = poolOf(memory, [10]);
  const block = run(pool.take(9))!;
  run(pool.give(block));
  t.throws(() => run(pool.give(block)), RangeError, "given twice");
  t.throws(() => run(pool.give({ handle: block.handle, bits: 9 })), RangeError, "made up");
  t.equal(pool.takeSpare(8), null, "a spare block is not made by splitting");
  t.equal(pool.takeSpare(9), block);
  t.end();
});
