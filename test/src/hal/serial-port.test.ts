import {
  BootInfo,
  CoreArea,
  CoreState,
  closePort,
  coreArea,
  drainPort,
  enableLapic,
  feedPort,
  HostEvent,
  Lapic,
  lapicOf,
  type PhysicalMemory,
  PORT_COUNT,
  PORT_RING_BYTES,
  Port,
  portOf,
  portRead,
  portWrite,
  resetLapic,
} from "@capos/hal";
import fc from "fast-check";
import t from "tap";
import { makeMachine, scratchOf, startJob, useSeed } from "../support/machine.js";
import { frame, meet } from "../support/machine-worker.js";

useSeed(t);

const bytesOf = (length: number, from = 0): number[] =>
  Array.from({ length }, (_, i) => (from + i * 7) & 0xff);

/** Reads all that a port has for its driver. */
function readAll(memory: PhysicalMemory, port: number): number[] {
  const all: number[] = [];
  const some: number[] = [];
  for (
    let count = portRead(memory, port, 0, some, 1000);
    count > 0;
    count = portRead(memory, port, 0, some, 1000)
  )
    all.push(...some.slice(0, count));
  return all;
}

t.test(
  "what goes into a port comes out of it, both ways, whatever the sizes, and a short count says what did not fit",
  (t) => {
    const { memory } = makeMachine(2);
    const step = fc.record({
      what: fc.constantFrom("write", "drain", "feed", "read"),
      port: fc.nat(PORT_COUNT - 1),
      core: fc.nat(1),
      size: fc.oneof(fc.nat(300), fc.nat(2 * PORT_RING_BYTES)),
    });
    fc.assert(
      fc.property(
        fc.constantFrom(0, 2 ** 31 - 5000, -5000),
        fc.array(step, { maxLength: 60, size: "max" }),
        (position, steps) => {
          const { i32 } = memory;
          for (let number = 0; number < PORT_COUNT; number++) {
            const port = portOf(memory, number);
            for (const word of [Port.OUT_READ, Port.OUT_WRITTEN, Port.IN_READ, Port.IN_WRITTEN])
              i32[port + word] = position;
          }
          const out: number[][] = Array.from({ length: PORT_COUNT }, () => []);
          const incoming: number[][] = Array.from({ length: PORT_COUNT }, () => []);
          let salt = 0;
          for (const { what, port, core, size } of steps) {
            salt += 13;
            if (what === "write" || what === "feed") {
              const queue = what === "write" ? out[port] : incoming[port];
              const bytes = bytesOf(size, salt);
              const taken =
                what === "write"
                  ? portWrite(memory, port, core, bytes, size)
                  : feedPort(memory, port, Uint8Array.from(bytes));
              if (taken !== Math.min(size, PORT_RING_BYTES - queue.length)) return false;
              queue.push(...bytes.slice(0, taken));
            } else if (what === "drain") {
              if (!Buffer.from(out[port]).equals(drainPort(memory, port))) return false;
              out[port] = [];
            } else {
              const bytes: number[] = [];
              const count = portRead(memory, port, core, bytes, size);
              if (count !== Math.min(size, incoming[port].length) || bytes.length !== count) return false;
              if (incoming[port].splice(0, count).join() !== bytes.join()) return false;
            }
          }
          return true;
        },
      ),
      { numRuns: 60 },
    );
    t.end();
  },
);

t.test("a full ring takes no byte more and loses none", (t) => {
  const { memory } = makeMachine(1);
  const first = bytesOf(PORT_RING_BYTES - 3);
  t.equal(portWrite(memory, 1, 0, first, first.length), first.length);
  t.equal(portWrite(memory, 1, 0, [1, 2, 3, 4, 5], 5), 3, "a short write");
  t.equal(portWrite(memory, 1, 0, [9], 1), 0);
  t.same([...drainPort(memory, 1)], [...first, 1, 2, 3]);
  t.equal(portWrite(memory, 1, 0, [4, 5], 2), 2);
  t.same([...drainPort(memory, 1)], [4, 5]);
  t.equal(feedPort(memory, 1, Uint8Array.from(bytesOf(PORT_RING_BYTES + 1))), PORT_RING_BYTES);
  t.equal(feedPort(memory, 1, Uint8Array.of(1)), 0);
  t.same(readAll(memory, 1), bytesOf(PORT_RING_BYTES));
  t.end();
});

t.test("writes of several cores come whole and each core's in order, whenever the host looks", async (t) => {
  const machine = makeMachine(2);
  const { memory, wasm } = machine;
  for (const core of [0, 1]) memory.i32[coreArea(memory, core) + CoreArea.STATE] = CoreState.ONLINE;
  const barrier = scratchOf(machine);
  // What one round writes always fits: no write is cut because the ring is full.
  const [rounds, frames] = [40, 100];
  const writers = [0, 1].map((core) =>
    startJob<{ cut: number }>(t, {
      role: "port writer",
      wasm,
      core,
      port: 1,
      barrier,
      parties: 3,
      rounds,
      frames,
    }),
  );
  const next = [0, 0];
  let broken = "";
  const look = (): void => {
    const bytes = [...drainPort(memory, 1)];
    for (let at = 0; at < bytes.length && broken === ""; ) {
      const core = bytes[at];
      const expected = core < 2 ? frame(core, next[core]++) : [];
      if (expected.length === 0 || expected.some((byte, i) => bytes[at + i] !== byte))
        broken = `at byte ${at} of ${bytes.length}: core ${core}`;
      at += expected.length;
    }
  };
  for (let round = 0; round < rounds; round++) {
    meet(memory, barrier, 3);
    // Until both writers have come to the end of their round, and once more.
    while (Atomics.load(memory.i32, barrier) < 2) look();
    look();
    meet(memory, barrier, 3);
  }
  t.equal(broken, "");
  t.same(next, [rounds * frames, rounds * frames]);
  t.same(
    (await Promise.all(writers)).map(({ cut }) => cut),
    [0, 0],
  );
});

t.test("a closed input gives all that came before, then says that it has ended", (t) => {
  const { memory } = makeMachine(1);
  const bytes: number[] = [];
  t.equal(portRead(memory, 1, 0, bytes, 10), 0, "nothing yet is not the end");
  feedPort(memory, 1, Uint8Array.of(1, 2, 3));
  closePort(memory, 1);
  t.equal(portRead(memory, 1, 0, bytes, 2), 2);
  t.equal(portRead(memory, 1, 0, bytes, 0), 0, "a read of nothing with a byte left is not at the end");
  t.equal(portRead(memory, 1, 0, bytes, 2), 1);
  t.same(bytes, [3, 2]);
  t.equal(portRead(memory, 1, 0, bytes, 2), -1);
  t.equal(portRead(memory, 1, 0, bytes, 2), -1, "and again");
  t.equal(portRead(memory, 2, 0, bytes, 2), 0, "another port has not ended");
  t.equal(portWrite(memory, 1, 0, [5], 1), 1, "and the way out is open");
  t.end();
});

t.test("a lock is broken if its holder's worker has exited, and only then", async (t) => {
  const machine = makeMachine(3);
  const { memory, wasm } = machine;
  const { i32 } = memory;
  const state = (core: number): number => coreArea(memory, core) + CoreArea.STATE;
  const lock = portOf(memory, 1) + Port.LOCK;
  const done = scratchOf(machine);
  // Core 1 holds the port in the middle of a write.
  i32[lock] = 2;
  i32[state(1)] = CoreState.ONLINE;
  const user = startJob<{ taken: number; read: number }>(t, {
    role: "port user",
    wasm,
    core: 0,
    port: 1,
    text: "hello",
    done,
  });
  const seenWaiting = (times: number): void => {
    for (let seen = 0; seen < times && Atomics.load(i32, done) === 0; ) seen += Atomics.notify(i32, lock);
  };
  seenWaiting(20);
  t.same([i32[lock], i32[done], drainPort(memory, 1).length], [2, 0, 0], "a running holder is waited for");
  i32[state(1)] = CoreState.DYING;
  seenWaiting(20);
  t.same(
    [i32[lock], i32[done], drainPort(memory, 1).length],
    [2, 0, 0],
    "a dying one too: its worker may still write",
  );
  i32[state(1)] = CoreState.DEAD;
  t.same(await user, { taken: 5, read: 0 });
  t.equal(Buffer.from(drainPort(memory, 1)).toString(), "hello", "nothing of the unfinished write is seen");
  t.equal(i32[lock], 0);

  i32[lock] = 3;
  i32[state(2)] = CoreState.OFFLINE;
  t.equal(portWrite(memory, 1, 0, [1], 1), 1, "a core that is off holds nothing");
  i32[lock] = 3;
  i32[state(2)] = CoreState.ONLINE;
  i32[coreArea(memory, 2) + CoreArea.INCARNATION] = 1;
  t.equal(portWrite(memory, 1, 2, [1], 1), 1, "a core's new worker takes over what its old one held");
  t.equal(i32[lock], 0);
});

t.test("the host's doorbell rings for output and not for a write of nothing", (t) => {
  const { memory } = makeMachine(1);
  const { i32 } = memory;
  const rung = (act: () => void): [number, number] => {
    const before = i32[BootInfo.HOST_DOORBELL];
    i32[BootInfo.HOST_EVENTS] = 0;
    act();
    return [i32[BootInfo.HOST_DOORBELL] - before, i32[BootInfo.HOST_EVENTS]];
  };
  t.same(
    rung(() => portWrite(memory, 1, 0, [1], 1)),
    [1, HostEvent.PORT_OUTPUT],
  );
  t.same(
    rung(() => portWrite(memory, 1, 0, [], 0)),
    [0, 0],
  );
  t.end();
});

t.test(
  "a port interrupts where it was told to: for input, for its end and for room after output, else not",
  (t) => {
    const { memory } = makeMachine(2);
    const { i32 } = memory;
    resetLapic(memory, 1);
    enableLapic(memory, 1, 0xff);
    const register = lapicOf(memory, 1) + Lapic.IRR + 2 * 4;
    const interrupted = (act: () => void): boolean => {
      i32[register] = 0;
      act();
      return i32[register] === 1 << 1;
    };
    const port = portOf(memory, 1);
    feedPort(memory, 1, Uint8Array.of(1));
    t.equal(i32[register], 0, "vector 0 is nowhere");
    i32[port + Port.IRQ_CORE] = 1;
    i32[port + Port.IRQ_VECTOR] = 0x41;
    t.ok(interrupted(() => feedPort(memory, 1, Uint8Array.of(1))));
    t.ok(interrupted(() => closePort(memory, 1)));
    portWrite(memory, 1, 0, [1], 1);
    t.ok(interrupted(() => drainPort(memory, 1)));
    t.notOk(
      interrupted(() => drainPort(memory, 1)),
      "nothing was drained",
    );
    t.end();
  },
);
