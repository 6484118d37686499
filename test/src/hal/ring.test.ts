import { Attention, attentionOf, Bell, CoreArea, coreArea, LAP_OF_LINE, Line, RingPort } from "@capos/hal";
import fc from "fast-check";
import t from "tap";
import { makeMachine, startJob, useSeed } from "../support/machine.js";
import { bellOf } from "../support/machine-worker.js";

useSeed(t);

const CORES = 3;
/** Where the doubles of these tests' lines stand. */
const WORDS = 8;
const core = fc.nat(CORES - 1);
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ what: fc.constant("send" as const), from: core, to: core }) },
  { weight: 4, arbitrary: fc.record({ what: fc.constant("receive" as const), from: core, to: core }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("take" as const), from: core, to: core }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("keep" as const), from: core, to: core }) },
);

t.test(
  "a ring is a queue: first in first out, nothing lost, full at its size, its bell rung for every line, over all wraps of its positions",
  (t) => {
    const machines = [4, 8, 64].map((ringLines) => makeMachine(CORES, { ringLines }));
    fc.assert(
      fc.property(
        fc.nat(machines.length - 1),
        fc.constantFrom(0, 2, 3, 32766, 32767, 2 ** 16),
        fc.array(step, { maxLength: 400, size: "max" }),
        (machine, lapsToWrap, steps) => {
          const { memory, plan } = machines[machine];
          const { i32, f64 } = memory;
          const rings = Array.from({ length: CORES }, (_, id) => new RingPort(memory, id));
          for (let line = plan.rings; line < plan.ports; line += 16) i32[line] = 0;
          for (let id = 0; id < CORES; id++) {
            const area = coreArea(memory, id);
            for (let other = 0; other < CORES; other++) {
              for (const positions of [CoreArea.RING_WRITE, CoreArea.RING_READ, CoreArea.RING_SEEN])
                i32[area + positions + other] = (2 ** 30 - lapsToWrap * plan.ringLines) % 2 ** 30;
            }
            i32[attentionOf(memory, id)] = 0;
          }
          const queues: number[][][] = rings.map(() => rings.map(() => []));
          const bells = rings.map(() => 0);
          let sent = 0;
          for (const { what, from, to } of steps) {
            const queue = queues[from][to];
            if (what === "send") {
              const line = rings[from].reserve(to);
              if ((line === 0) !== (queue.length === plan.ringLines)) return false;
              if (line === 0) continue;
              if (line < plan.rings || line + 16 > plan.ports || line % 16 !== plan.rings % 16) return false;
              sent++;
              i32[line + Line.PAYLOAD] = sent;
              f64[(line + WORDS) >> 1] = sent + 0.5;
              if (rings[to].peek(from) === line) return false;
              rings[from].publish(to, line, 1 + (sent % 0xffff));
              queue.push(sent);
              bells[to] |= bellOf(memory, from);
            } else if (what === "receive") {
              const line = rings[to].peek(from);
              if ((line === 0) !== (queue.length === 0)) return false;
              if (line === 0) continue;
              if (rings[to].peek(from) !== line) return false;
              const expected = queue.shift()!;
              if (
                rings[to].kind(line) !== 1 + (expected % 0xffff) ||
                i32[line + Line.PAYLOAD] !== expected ||
                f64[(line + WORDS) >> 1] !== expected + 0.5
              )
                return false;
              rings[to].release(from);
            } else if (what === "keep") {
              rings[to].keepPending(from);
              bells[to] |= bellOf(memory, from);
            } else {
              if (Atomics.exchange(i32, attentionOf(memory, to), 0) !== bells[to]) return false;
              bells[to] = 0;
            }
          }
          return rings.every((_, id) => i32[attentionOf(memory, id)] === bells[id]);
        },
      ),
      { numRuns: 300 },
    );
    t.end();
  },
);

t.test(
  "a full ring refuses a line and keeps all that it holds; one line given back makes room for one",
  (t) => {
    const { memory } = makeMachine(2, { ringLines: 4 });
    const { i32 } = memory;
    const producer = new RingPort(memory, 0);
    const consumer = new RingPort(memory, 1);
    t.equal(producer.lines, 4);
    const send = (n: number): boolean => {
      const line = producer.reserve(1);
      if (line === 0) return false;
      i32[line + Line.PAYLOAD] = n;
      producer.publish(1, line, 1);
      return true;
    };
    const receive = (): number => {
      const line = consumer.peek(0);
      if (line === 0) return 0;
      const n = i32[line + Line.PAYLOAD];
      consumer.release(0);
      return n;
    };
    t.same([1, 2, 3, 4, 5, 6].map(send), [true, true, true, true, false, false]);
    t.equal(receive(), 1);
    t.same([7, 8].map(send), [true, false]);
    t.same([receive(), receive(), receive(), receive(), receive()], [2, 3, 4, 7, 0]);
    t.end();
  },
);

t.test("a line for a core that watches the ring rings no bell, a line in any other ring does", (t) => {
  const { memory } = makeMachine(3);
  const { i32 } = memory;
  const consumer = new RingPort(memory, 1);
  const publish = (from: number): Bell => {
    const producer = new RingPort(memory, from);
    return producer.publish(1, producer.reserve(1), 1);
  };
  const attention = attentionOf(memory, 1);
  consumer.watch(0);
  const [line, lap] = [consumer.nextLine(0), consumer.nextLap(0)];
  t.not(i32[line] & LAP_OF_LINE, lap);
  t.equal(publish(0), Bell.NONE);
  t.equal(i32[attention], 0);
  t.equal(i32[line] & LAP_OF_LINE, lap, "and is seen where it was looked for");
  t.equal(publish(2), Bell.RUNG);
  t.not(i32[attention], 0);
  i32[attention] = 0;
  consumer.watch(-1);
  t.equal(publish(0), Bell.RUNG);
  t.equal(consumer.peek(0), line, "what came without a bell is there");
  i32[attention] = Attention.HALTED;
  t.equal(publish(0), Bell.WOKE);
  t.end();
});

t.test("a line reserved and not published is not seen, and the next reserve gives it again", (t) => {
  const { memory } = makeMachine(2);
  const producer = new RingPort(memory, 0);
  const line = producer.reserve(1);
  memory.i32[line + Line.PAYLOAD] = 5;
  t.equal(new RingPort(memory, 1).peek(0), 0);
  t.equal(producer.reserve(1), line);
  t.end();
});

t.test("a ring goes on where it was when either end is made anew, as after a core's death", (t) => {
  const { memory } = makeMachine(2, { ringLines: 4 });
  const { i32 } = memory;
  let read = 0;
  for (let n = 1; n <= 11; n++) {
    const producer = new RingPort(memory, 0);
    const line = producer.reserve(1);
    i32[line + Line.PAYLOAD] = n;
    producer.publish(1, line, 1);
    if (n % 3 === 0) continue;
    const consumer = new RingPort(memory, 1);
    for (let full = consumer.peek(0); full !== 0 && read < n; full = consumer.peek(0)) {
      if (i32[full + Line.PAYLOAD] !== ++read) t.fail(`line ${read} is ${i32[full + Line.PAYLOAD]}`);
      consumer.release(0);
    }
  }
  t.equal(read, 11);
  t.end();
});

t.test("the rings of 64 cores do not share a line, and the bell of each is one of the word's", (t) => {
  const { memory, plan } = makeMachine(64);
  const { i32 } = memory;
  const ports = Array.from({ length: 64 }, (_, id) => new RingPort(memory, id));
  const seen = new Set<number>();
  for (let from = 0; from < 64; from++) {
    for (let to = 0; to < 64; to++) {
      const line = ports[from].reserve(to);
      if (line < plan.rings || line + plan.ringLines * 16 > plan.ports)
        t.fail(`ring ${from} to ${to} is at ${line}`);
      seen.add(line);
    }
    ports[from].publish(40, ports[from].reserve(40), 1);
    t.equal(Atomics.exchange(i32, attentionOf(memory, 40), 0), bellOf(memory, from));
  }
  t.equal(seen.size, 64 * 64);
  t.end();
});

t.test(
  "between two threads a ring loses, doubles, reorders and tears nothing, and no line is left unseen by a halting reader",
  async (t) => {
    for (const [ringLines, lines] of [
      [64, 200_000],
      [4, 30_000],
    ] as const) {
      const { wasm } = makeMachine(2, { ringLines });
      const consumer = startJob<{ read: number; halts: number; failed: string }>(t, {
        role: "ring consumer",
        wasm,
        core: 1,
        from: 0,
        lines,
        lap: ringLines,
      });
      const producer = startJob<{ full: number }>(t, { role: "ring producer", wasm, core: 0, to: 1, lines });
      const { read, failed, halts } = await consumer;
      t.equal(failed, "");
      t.equal(read, lines);
      if (read < lines) return;
      const { full } = await producer;
      t.comment(`${ringLines} lines: full ${full} times, halted ${halts} times`);
    }
  },
);
