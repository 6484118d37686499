import {
  Attention,
  acknowledgeInterrupt,
  armDeadline,
  armOneShot,
  attentionOf,
  BootInfo,
  CoreArea,
  CoreState,
  coreArea,
  Delivery,
  disarmTimer,
  enableLapic,
  endOfInterrupt,
  fireIfDue,
  LAPIC_VERSION,
  Lapic,
  LvtTimer,
  lapicOf,
  nowNs,
  type PhysicalMemory,
  requestInterrupt,
  resetLapic,
  Shorthand,
  timeoutMs,
  writeCommand,
  writeTaskPriority,
} from "@capos/hal";
import fc from "fast-check";
import t from "tap";
import { makeMachine, scratchOf, startJob, useSeed } from "../support/machine.js";
import { meet } from "../support/machine-worker.js";

useSeed(t);

const SPURIOUS = 0xff;

/** A machine whose LAPICs are all enabled. */
function ready(cores: number): PhysicalMemory {
  const { memory } = makeMachine(cores);
  for (let core = 0; core < cores; core++) {
    resetLapic(memory, core);
    enableLapic(memory, core, SPURIOUS);
  }
  return memory;
}

/** The vectors set in a bank, lowest first. */
function bank(memory: PhysicalMemory, core: number, first: Lapic): number[] {
  const vectors: number[] = [];
  for (let vector = 0; vector < 256; vector++) {
    if ((memory.i32[lapicOf(memory, core) + first + (vector >> 5) * 4] & (1 << (vector & 31))) !== 0)
      vectors.push(vector);
  }
  return vectors;
}

/** Takes a core's attention bits out. */
const take = (memory: PhysicalMemory, core: number): number =>
  Atomics.exchange(memory.i32, attentionOf(memory, core), 0);

/** What Intel's manual says, with sets. */
class Model {
  readonly requested = new Set<number>();
  readonly inService = new Set<number>();
  task = 0;

  get priorityClass(): number {
    return Math.max(this.task >> 4, Math.max(0, ...this.inService) >> 4);
  }

  get deliverable(): boolean {
    return Math.max(0, ...this.requested) >> 4 > this.priorityClass;
  }

  acknowledge(): number {
    if (this.requested.size === 0) return -1;
    if (!this.deliverable) return SPURIOUS;
    const vector = Math.max(...this.requested);
    this.requested.delete(vector);
    this.inService.add(vector);
    return vector;
  }

  end(): void {
    this.inService.delete(Math.max(...this.inService));
  }
}

const step = fc.oneof(
  fc.record({ what: fc.constant("request" as const), value: fc.integer({ min: -1, max: 257 }) }),
  fc.record({
    what: fc.constant("request" as const),
    value: fc.constantFrom(15, 16, 31, 32, 63, 64, 95, 96, 223, 224, 255),
  }),
  fc.record({ what: fc.constant("acknowledge" as const), value: fc.constant(0) }),
  fc.record({ what: fc.constant("end" as const), value: fc.constant(0) }),
  fc.record({ what: fc.constant("priority" as const), value: fc.nat(300) }),
);

t.test("requests, service, task priority and end of interrupt do what a model of the registers does", (t) => {
  const memory = ready(1);
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: "max" }), (steps) => {
      const lapic = lapicOf(memory, 0);
      resetLapic(memory, 0);
      enableLapic(memory, 0, SPURIOUS);
      take(memory, 0);
      const model = new Model();
      for (const { what, value } of steps) {
        if (what === "request") {
          requestInterrupt(memory, 0, value);
          if (value >= 16 && value <= 255) model.requested.add(value);
        } else if (what === "acknowledge") {
          take(memory, 0);
          const expectedPriority = model.priorityClass;
          if (acknowledgeInterrupt(memory, 0) !== model.acknowledge()) return false;
          if (memory.i32[lapic + Lapic.PPR] >> 4 !== expectedPriority) return false;
        } else if (what === "end") {
          endOfInterrupt(memory, 0);
          model.end();
        } else {
          writeTaskPriority(memory, 0, value);
          model.task = value & 0xff;
        }
        if (bank(memory, 0, Lapic.IRR).join() !== [...model.requested].sort((a, b) => a - b).join())
          return false;
        if (bank(memory, 0, Lapic.ISR).join() !== [...model.inService].sort((a, b) => a - b).join())
          return false;
        // A core that takes its bit and acknowledges once has no deliverable interrupt without the bit.
        if (model.deliverable && (memory.i32[attentionOf(memory, 0)] & Attention.INTERRUPT) === 0)
          return false;
      }
      return true;
    }),
    { numRuns: 300 },
  );
  t.end();
});

t.test("the highest requested vector is delivered first", (t) => {
  const memory = ready(1);
  for (const vector of [0x31, 0xe0, 0x40, 0x7f]) requestInterrupt(memory, 0, vector);
  t.equal(take(memory, 0), Attention.INTERRUPT);
  const order: number[] = [];
  for (let vector = acknowledgeInterrupt(memory, 0); vector >= 0; vector = acknowledgeInterrupt(memory, 0)) {
    order.push(vector);
    endOfInterrupt(memory, 0);
  }
  t.same(order, [0xe0, 0x7f, 0x40, 0x31]);
  t.end();
});

t.test(
  "an interrupt in service holds back its own class and those below, and a higher class nests in it",
  (t) => {
    const memory = ready(1);
    requestInterrupt(memory, 0, 0x55);
    t.equal(acknowledgeInterrupt(memory, 0), 0x55);
    requestInterrupt(memory, 0, 0x5f);
    requestInterrupt(memory, 0, 0x30);
    t.equal(acknowledgeInterrupt(memory, 0), SPURIOUS, "0x5f is of the class in service");
    requestInterrupt(memory, 0, 0x60);
    t.equal(acknowledgeInterrupt(memory, 0), 0x60);
    t.same(bank(memory, 0, Lapic.ISR), [0x55, 0x60]);
    take(memory, 0);
    endOfInterrupt(memory, 0);
    t.same(bank(memory, 0, Lapic.ISR), [0x55], "the innermost ends first");
    t.equal(take(memory, 0), 0, "0x5f is still held back");
    endOfInterrupt(memory, 0);
    t.equal(take(memory, 0), Attention.INTERRUPT, "now the core is called for it");
    t.equal(acknowledgeInterrupt(memory, 0), 0x5f);
    endOfInterrupt(memory, 0);
    t.equal(acknowledgeInterrupt(memory, 0), 0x30);
    endOfInterrupt(memory, 0);
    take(memory, 0);
    endOfInterrupt(memory, 0);
    t.equal(take(memory, 0), 0, "an end with nothing in service does nothing");
    t.end();
  },
);

t.test("the task priority holds back its class and those below until it is lowered", (t) => {
  const memory = ready(1);
  writeTaskPriority(memory, 0, 0x40);
  requestInterrupt(memory, 0, 0x4f);
  t.equal(acknowledgeInterrupt(memory, 0), SPURIOUS);
  t.same(bank(memory, 0, Lapic.IRR), [0x4f], "it stays requested");
  take(memory, 0);
  writeTaskPriority(memory, 0, 0x4f);
  t.equal(take(memory, 0), 0, "the low four bits do not matter");
  writeTaskPriority(memory, 0, 0x3f);
  t.equal(take(memory, 0), Attention.INTERRUPT);
  t.equal(acknowledgeInterrupt(memory, 0), 0x4f);
  t.end();
});

t.test("the spurious vector enters no register: it needs no end of interrupt", (t) => {
  const memory = ready(1);
  enableLapic(memory, 0, 0x7f);
  requestInterrupt(memory, 0, 0x50);
  writeTaskPriority(memory, 0, 0xf0);
  t.equal(acknowledgeInterrupt(memory, 0), 0x7f);
  t.same(bank(memory, 0, Lapic.ISR), []);
  writeTaskPriority(memory, 0, 0);
  t.equal(acknowledgeInterrupt(memory, 0), 0x50);
  endOfInterrupt(memory, 0);
  t.equal(acknowledgeInterrupt(memory, 0), -1, "nothing requested is not spurious");
  t.end();
});

t.test(
  "a vector requested twice before it is taken comes once, requested while in service it comes again",
  (t) => {
    const memory = ready(1);
    requestInterrupt(memory, 0, 0x50);
    requestInterrupt(memory, 0, 0x50);
    t.equal(acknowledgeInterrupt(memory, 0), 0x50);
    requestInterrupt(memory, 0, 0x50);
    endOfInterrupt(memory, 0);
    t.equal(acknowledgeInterrupt(memory, 0), 0x50);
    endOfInterrupt(memory, 0);
    t.equal(acknowledgeInterrupt(memory, 0), -1);
    t.end();
  },
);

t.test("vectors 0 to 15 and those that are none are ignored", (t) => {
  const memory = ready(2);
  for (const vector of [-1, 0, 1, 15, 256, 1000]) requestInterrupt(memory, 0, vector);
  for (let vector = 0; vector < 16; vector++) writeCommand(memory, 1, vector, 0);
  t.same(bank(memory, 0, Lapic.IRR), []);
  t.equal(take(memory, 0), 0);
  t.end();
});

t.test("a LAPIC that is not enabled takes no interrupt and delivers none", (t) => {
  const memory = ready(1);
  const lapic = lapicOf(memory, 0);
  requestInterrupt(memory, 0, 0x50);
  resetLapic(memory, 0);
  t.same(bank(memory, 0, Lapic.IRR), [], "reset forgets what was requested");
  take(memory, 0);
  requestInterrupt(memory, 0, 0x50);
  t.equal(take(memory, 0), 0);
  memory.i32[lapic + Lapic.IRR + 2 * 4] = 1 << 16;
  t.equal(acknowledgeInterrupt(memory, 0), -1);
  armOneShot(memory, 0, 0x60, 1);
  fireIfDue(memory, 0, 0, 1e18);
  t.same(bank(memory, 0, Lapic.IRR), [0x50], "not even its timer's");
  t.equal(memory.i32[lapic + Lapic.LVT_TIMER] & LvtTimer.MASKED, 0);
  resetLapic(memory, 0);
  t.equal(memory.i32[lapic + Lapic.LVT_TIMER] & LvtTimer.MASKED, LvtTimer.MASKED, "reset masks the timer");
  t.equal(timeoutMs(memory, 0), Number.POSITIVE_INFINITY, "and stops it");
  t.end();
});

t.test("a LAPIC says which it is", (t) => {
  const memory = ready(64);
  for (const core of [0, 1, 63]) {
    t.equal(memory.i32[lapicOf(memory, core) + Lapic.ID] >>> 24, core);
    t.equal(memory.i32[lapicOf(memory, core) + Lapic.VERSION], LAPIC_VERSION);
  }
  t.end();
});

t.test("a command reaches the cores of its shorthand or its destination and no other", (t) => {
  const hit = (low: number, destination: number): number[] => {
    const memory = ready(4);
    writeCommand(memory, 1, low, destination);
    t.equal(memory.i32[lapicOf(memory, 1) + Lapic.ICR_LOW], low);
    return [0, 1, 2, 3].filter(
      (core) => bank(memory, core, Lapic.IRR).join() === "80" && take(memory, core) === Attention.INTERRUPT,
    );
  };
  t.same(hit(0x50 | Shorthand.SELF, 3), [1]);
  t.same(hit(0x50 | Shorthand.ALL, 3), [0, 1, 2, 3]);
  t.same(hit(0x50 | Shorthand.ALL_BUT_SELF, 3), [0, 2, 3]);
  t.same(hit(0x50 | Shorthand.NONE, 3), [3]);
  t.same(hit(0x50 | Shorthand.NONE, 1), [1]);
  for (const nobody of [4, 64, 255, -1]) t.same(hit(0x50, nobody), [], `there is no core ${nobody}`);
  t.end();
});

t.test("a non-maskable interrupt comes whatever the priorities, and through no register", (t) => {
  const memory = ready(2);
  writeTaskPriority(memory, 1, 0xff);
  writeCommand(memory, 0, Delivery.NON_MASKABLE | 0x50, 1);
  t.equal(take(memory, 1), Attention.NON_MASKABLE);
  t.same(bank(memory, 1, Lapic.IRR), []);
  resetLapic(memory, 1);
  writeCommand(memory, 0, Delivery.NON_MASKABLE, 1);
  t.equal(take(memory, 1), Attention.NON_MASKABLE, "also to a LAPIC that is not enabled");
  writeCommand(memory, 0, Delivery.NON_MASKABLE | Shorthand.ALL_BUT_SELF, 0);
  t.same([take(memory, 0), take(memory, 1)], [0, Attention.NON_MASKABLE]);
  t.end();
});

t.test("INIT moves only a core that waits for it, start-up reaches only a core that had INIT", (t) => {
  const memory = ready(2);
  const state = coreArea(memory, 1) + CoreArea.STATE;
  const after = (before: CoreState, low: number): number[] => {
    memory.i32[state] = before;
    writeCommand(memory, 0, low, 1);
    return [memory.i32[state], take(memory, 1)];
  };
  for (const before of [
    CoreState.OFFLINE,
    CoreState.WAIT_FOR_STARTUP,
    CoreState.ONLINE,
    CoreState.DYING,
    CoreState.DEAD,
  ]) {
    t.same(after(before, Delivery.INIT), [before, 0], `INIT in state ${before}`);
  }
  t.same(after(CoreState.WAIT_FOR_INIT, Delivery.INIT), [CoreState.WAIT_FOR_STARTUP, Attention.INIT]);
  for (const before of [
    CoreState.OFFLINE,
    CoreState.WAIT_FOR_INIT,
    CoreState.ONLINE,
    CoreState.DYING,
    CoreState.DEAD,
  ]) {
    t.same(after(before, Delivery.STARTUP | 8), [before, 0], `start-up in state ${before}`);
  }
  t.same(after(CoreState.WAIT_FOR_STARTUP, Delivery.STARTUP | 8), [
    CoreState.WAIT_FOR_STARTUP,
    Attention.STARTUP,
  ]);
  t.end();
});

t.test("a delivery mode that does not exist here does nothing", (t) => {
  const memory = ready(2);
  for (const mode of [0x100, 0x200, 0x300, 0x700]) writeCommand(memory, 0, mode | 0x50, 1);
  t.same([bank(memory, 1, Lapic.IRR), take(memory, 1)], [[], 0]);
  t.end();
});

t.test(
  "a one-shot timer fires once, when its count is over and not before, and again only when armed again",
  (t) => {
    const memory = ready(1);
    for (const start of [1000, 5e9]) {
      armOneShot(memory, 0, 0xe0, 400);
      t.equal(timeoutMs(memory, 0), 400 / 1e6);
      t.same(
        [start, start + 399].map((now) => fireIfDue(memory, 0, start, now)),
        [false, false],
      );
      t.same(bank(memory, 0, Lapic.IRR), []);
      t.same(
        [start + 400, start + 401, 1e18].map((now) => fireIfDue(memory, 0, start, now)),
        [true, false, false],
      );
      t.equal(acknowledgeInterrupt(memory, 0), 0xe0);
      endOfInterrupt(memory, 0);
      t.equal(acknowledgeInterrupt(memory, 0), -1);
      t.equal(timeoutMs(memory, 0), Number.POSITIVE_INFINITY);
    }
    t.end();
  },
);

t.test(
  "each arming of the one-shot timer has a new sequence number, so that the chipset sees a new count",
  (t) => {
    const memory = ready(1);
    const seen = new Set<number>();
    for (let i = 0; i < 5; i++) {
      armOneShot(memory, 0, 0xe0, 400);
      seen.add(memory.i32[lapicOf(memory, 0) + Lapic.TIMER_SEQUENCE]);
    }
    t.equal(seen.size, 5);
    t.end();
  },
);

t.test("a deadline fires once, when the clock reaches it and not before", (t) => {
  const memory = ready(1);
  armDeadline(memory, 0, 0xe0, 7_000_000.5);
  t.same(
    [0, 7_000_000, 7_000_001, 1e18].map((now) => fireIfDue(memory, 0, 1e17, now)),
    [false, false, true, false],
  );
  t.equal(acknowledgeInterrupt(memory, 0), 0xe0);
  armDeadline(memory, 0, 0xe0, 0);
  t.equal(timeoutMs(memory, 0), 0, "a deadline in the past is due now");
  armDeadline(memory, 0, 0xe0, nowNs() + 3600e9);
  const wait = timeoutMs(memory, 0);
  t.ok(wait > 0 && wait <= 3600e3, "one in the future is not");
  t.end();
});

t.test("a timer armed anew counts by what it was armed with last", (t) => {
  const memory = ready(1);
  armDeadline(memory, 0, 0xe0, 100);
  armOneShot(memory, 0, 0xe1, 1000);
  t.equal(fireIfDue(memory, 0, 0, 500), false, "the deadline is forgotten");
  t.equal(fireIfDue(memory, 0, 0, 1000), true);
  armOneShot(memory, 0, 0xe1, 1000);
  armDeadline(memory, 0, 0xe2, 5000);
  t.equal(fireIfDue(memory, 0, 0, 4000), false, "the count is forgotten");
  t.equal(fireIfDue(memory, 0, 0, 5000), true);
  t.same(bank(memory, 0, Lapic.IRR), [0xe1, 0xe2]);
  t.end();
});

t.test("a disarmed timer does not fire, but what it fired before stays requested", (t) => {
  const memory = ready(1);
  armOneShot(memory, 0, 0xe0, 1);
  fireIfDue(memory, 0, 0, 10);
  armDeadline(memory, 0, 0xe1, 1);
  disarmTimer(memory, 0);
  t.equal(fireIfDue(memory, 0, 0, 1e18), false);
  t.same(bank(memory, 0, Lapic.IRR), [0xe0]);
  t.end();
});

t.test("a masked timer runs out without an interrupt", (t) => {
  const memory = ready(1);
  armOneShot(memory, 0, 0xe0, 1);
  memory.i32[lapicOf(memory, 0) + Lapic.LVT_TIMER] |= LvtTimer.MASKED;
  fireIfDue(memory, 0, 0, 10);
  t.same([bank(memory, 0, Lapic.IRR), take(memory, 0)], [[], 0]);
  t.equal(fireIfDue(memory, 0, 0, 10), false, "it has run out");
  t.end();
});

t.test("arming a timer wakes a chipset that sleeps", async (t) => {
  const memory = ready(1);
  const { i32 } = memory;
  for (const arm of [() => armOneShot(memory, 0, 0xe0, 1), () => armDeadline(memory, 0, 0xe0, 1)]) {
    disarmTimer(memory, 0);
    i32[BootInfo.CHIPSET_ASLEEP] = 1;
    const chipset = Atomics.waitAsync(i32, BootInfo.CHIPSET_ASLEEP, 1);
    arm();
    t.equal(i32[BootInfo.CHIPSET_ASLEEP], 0);
    t.equal(await chipset.value, "ok");
  }
});

t.test("a timer that two parties find due at once fires once", async (t) => {
  const machine = makeMachine(1);
  const { memory, wasm } = machine;
  resetLapic(memory, 0);
  enableLapic(memory, 0, SPURIOUS);
  const barrier = scratchOf(machine);
  const rounds = 20_000;
  const racers = [0, 1].map(() =>
    startJob<{ fired: number }>(t, { role: "timer racer", wasm, core: 0, barrier, parties: 3, rounds }),
  );
  let delivered = 0;
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 0) armDeadline(memory, 0, 0xe0, round);
    else armOneShot(memory, 0, 0xe0, round);
    meet(memory, barrier, 3);
    meet(memory, barrier, 3);
    if (acknowledgeInterrupt(memory, 0) === 0xe0) delivered++;
    endOfInterrupt(memory, 0);
  }
  const counts = (await Promise.all(racers)).map(({ fired }) => fired);
  t.equal(counts[0] + counts[1], rounds, `fired by one ${counts[0]} times, by the other ${counts[1]} times`);
  t.equal(delivered, rounds);
});

t.test("a timer armed again while somebody is about to fire it is not lost", (t) => {
  // The chipset has read an expiry and not yet claimed it; in between the core arms the timer anew.
  const lapicAt = (memory: PhysicalMemory): number => lapicOf(memory, 0);
  const interrupted = (
    memory: PhysicalMemory,
    view: "i32" | "f64",
    index: number,
    meanwhile: () => void,
  ): PhysicalMemory => {
    let once = true;
    const proxy = new Proxy(memory[view], {
      get(target, key) {
        const value: unknown = Reflect.get(target, key);
        if (key === String(index) && once) {
          once = false;
          meanwhile();
        }
        return value;
      },
    });
    return { ...memory, [view]: proxy };
  };
  for (const again of ["deadline", "one-shot"] as const) {
    const memory = ready(1);
    armDeadline(memory, 0, 0xe0, 100);
    const arm = (): void =>
      again === "deadline" ? armDeadline(memory, 0, 0xe1, 5000) : armOneShot(memory, 0, 0xe1, 5000);
    fireIfDue(interrupted(memory, "f64", (lapicAt(memory) + Lapic.DEADLINE) >> 1, arm), 0, 0, 200);
    t.equal(fireIfDue(memory, 0, 0, 4999), false, `a ${again} timer does not fire early`);
    t.equal(fireIfDue(memory, 0, 0, 5000), true, `a ${again} timer fires`);
    t.ok(bank(memory, 0, Lapic.IRR).includes(0xe1));
  }
  t.end();
});
