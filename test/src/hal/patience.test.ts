/** What a watchdog counts of a thread's time, on hosts that tell much, little or nothing. */
import { Patience, type ThreadTime, threadTime } from "@capos/hal";
import t from "tap";

const MS = 1e6;

/** Looks every 20 ms by a clock of its own; answers after how many milliseconds the limit was passed, null for never. */
function overAfter(limitMs: number, at: (ms: number) => ThreadTime | null, forMs = 100_000): number | null {
  let ms = 0;
  const patience = new Patience(() => at(ms));
  patience.begin(0);
  for (; ms < forMs; ms += 20) if (patience.isOver(ms * MS, limitMs)) return ms;
  return null;
}

t.test("a thread that works is over its limit as soon as it has worked so long", (t) => {
  const after = overAfter(500, (ms) => ({ cpuMs: ms, isRunnable: true }))!;
  t.ok(after > 500 && after <= 560, `${after}`);
  t.end();
});

t.test("a thread that gets an eighth of a CPU has eight times as long", (t) => {
  const after = overAfter(500, (ms) => ({ cpuMs: Math.floor(ms / 80) * 10, isRunnable: true }))!;
  t.ok(after > 8 * 500 && after <= 8 * 560, `${after}`);
  t.end();
});

t.test("a thread that only waits for a CPU is never over its limit", (t) => {
  t.equal(
    overAfter(500, () => ({ cpuMs: 70, isRunnable: true })),
    null,
  );
  t.end();
});

t.test("a thread that sleeps is over its limit in the end", (t) => {
  const after = overAfter(500, () => ({ cpuMs: 70, isRunnable: false }))!;
  t.ok(after > 15 * 480 && after < 16 * 600, `${after}`);
  t.end();
});

t.test("where the host tells nothing the limit is four times as long", (t) => {
  const after = overAfter(500, () => null)!;
  t.ok(after > 2000 && after <= 2100, `${after}`);
  t.end();
});

t.test("and a watcher that was kept from running itself counts none of that", (t) => {
  const patience = new Patience(() => null);
  patience.begin(0);
  t.notOk(patience.isOver(3_600_000 * MS, 500));
  t.end();
});

t.test("what was begun anew counts from there", (t) => {
  let ms = 0;
  const patience = new Patience(() => ({ cpuMs: ms, isRunnable: true }));
  for (; ms < 10_000; ms += 20) {
    if (ms % 400 === 0) patience.begin(ms * MS);
    if (patience.isOver(ms * MS, 500)) break;
  }
  t.equal(ms, 10_000);
  t.end();
});

t.test("the host is asked only where the limit may have been passed", (t) => {
  let asked = 0;
  overAfter(
    500,
    (ms) => {
      asked++;
      return { cpuMs: ms, isRunnable: true };
    },
    500,
  );
  t.equal(asked, 1);
  t.end();
});

t.test("a thread that there is not, or none, has no time", (t) => {
  t.equal(threadTime(0), null);
  t.equal(threadTime(2 ** 30), null);
  t.end();
});
