/** `top` on a terminal: what it draws, its keys, and that the terminal is given back whatever happens. */
import t from "tap";
import { checkRestored, TerminalProcess } from "../support/terminal-process.js";

const LOOPS = ["top", "--interval", "0.1", "--", "run", "--cores", "2", "test/fixtures/cli/loops.ts"];
/** The guest's line in the table of threads, and what it printed. */
const GUEST = /^ +\d+ +\d+ loops\.ts[\s\S]*^looping$/m;

/** Whether a column of the table of threads goes down, or up where that is its order. */
function isOrdered(screen: string, column: RegExp, isUp: boolean): boolean {
  const table = screen.slice(screen.indexOf("thread"));
  const cells = [...table.matchAll(column)].map(([, cell]) => cell!);
  const value = (cell: string): number => Number.parseFloat(cell);
  return (
    cells.length >= 6 &&
    cells.every((cell, i) => i === 0 || (isUp ? cells[i - 1] <= cell : value(cells[i - 1]) >= value(cell)))
  );
}
const NAMES = /^ +\d+ +\d+ (\S+) +\d/gm;
const SHARES = /^ +\d+ +\d+ \S+ +\d+ +\d+ +(\S+)%/gm;

t.test("top draws cores and threads, obeys its keys, and gives the terminal back", async (t) => {
  const it = new TerminalProcess(t, LOOPS);
  let screen = await it.until(GUEST);
  t.ok(it.isAlternate, "it has a screen of its own");
  t.match(
    screen,
    /^capos-smp top -- run --cores 2 test\/fixtures\/cli\/loops\.ts +machine 1: 2 cores, 256 MiB/m,
  );
  t.match(
    screen,
    /^core +busy +kernel +polls +halted +ready +traps\/s +calls\/s +in\/s +out\/s +grace\/s +mostly$/m,
  );
  t.match(screen, /^ +0 .*%.*\n +1 .*%/m, "a line for each core");
  t.match(
    screen,
    /^ +1 +1 init +0 +200 +\S+% +\S+ +queued +message at 0x[0-9a-f]+$/m,
    "who waits, and where",
  );
  t.match(screen, /^q quit /m);

  it.press("n");
  screen = await it.until(/process\*/);
  t.ok(isOrdered(screen, NAMES, true), "by name");
  it.press("o");
  await it.until(/core\*/);
  it.press("s");
  await it.until(/state\*/);
  it.press("s");
  screen = await it.until(/cpu\*/);
  t.ok(isOrdered(screen, SHARES, false), "by CPU time, the most first");

  it.press("v");
  screen = await it.until(/^process +name +threads +cpu\* +calls\/s +cores$/m);
  t.match(screen, /^ +6 +loops\.ts +1 +\S+% +\S+ +1$/m);
  it.press("v");
  await it.until(/^(?!.*\bthreads\b)[\s\S]*calls\/s/m);
  it.press("v");
  await it.until(/^thread +process/m);

  it.press("p");
  const paused = await it.until(/^PAUSED/m);
  it.press("?");
  screen = await it.until(/scroll: /);
  t.equal(screen.split("\n")[0], paused.split("\n")[0], "what it shows stands still");
  it.press("h");
  await it.until(/^q quit {2}p pause/m);
  it.press(" ");
  await it.until(/^capos-smp top/m);

  it.resize(100, 12);
  await it.until(/^(?![\s\S]*─)[\s\S]*\nq quit/);
  it.press("n");
  await it.until(/waits for\n +4 +4 console/);
  it.press("\u001b[B");
  await it.until(/waits for\n +5 +5 echo/);
  it.press("\u001b[A");
  await it.until(/waits for\n +4 +4 console/);
  it.press("c");
  it.resize(50, 12);
  await it.until(/^60 columns are needed/);
  it.resize(79, 24);
  screen = await it.until(/^thread +process +core +cpu\* +calls\/s +state$/m);
  t.notMatch(screen, /in\/s|waits for/, "columns are dropped for want of width");
  t.ok(screen.split("\n").every((line) => line.length <= 79));

  it.press("q");
  const after = await it.end();
  t.equal(after.status, 0);
  t.match(after.text, /^looping$/m, "what the guest printed is printed now");
  t.notMatch(after.text, /halted/, "and nothing of the screen is left");
  checkRestored(t, after);
});

t.test("the terminal is given back after Ctrl-C and SIGTERM, with the status of each", async (t) => {
  const ways: readonly (readonly [string, number, RegExp, (it: TerminalProcess) => void])[] = [
    ["Ctrl-C", 130, /^looping\n[\s\S]*^capos-smp: interrupted$/m, (it) => it.press("\u0003")],
    ["SIGTERM", 143, /^looping\n[\s\S]*^capos-smp: terminated$/m, (it) => it.signal("SIGTERM")],
  ];
  for (const [name, status, printed, stop] of ways) {
    const it = new TerminalProcess(t, LOOPS);
    await it.until(GUEST);
    stop(it);
    const after = await it.end();
    t.equal(after.status, status, name);
    t.match(after.text, printed);
    checkRestored(t, after);
  }
});

t.test("after a panic the terminal is given back, and has the dump", async (t) => {
  const it = new TerminalProcess(t, [
    ...["top", "--interval", "0.1", "--", "run", "--cores", "2", "--debug", "--trace-ring", "0"],
    "test/fixtures/cli/panics-later.ts",
  ]);
  await it.until(/panics-later/);
  t.ok(it.isAlternate);
  const after = await it.end();
  t.equal(after.status, 70);
  t.match(after.text, /^PANIC on core 1: KernelPanic: asked for by a test$/m);
  t.match(after.text, /^capos-smp: the kernel panicked$/m);
  checkRestored(t, after);
});

t.test("a command's result is printed when it has ended", async (t) => {
  const it = new TerminalProcess(t, [
    "top",
    "--interval",
    "0.1",
    "--",
    "stress",
    "slot-reuse",
    "--cores",
    "2",
    "--seconds",
    "0.3",
  ]);
  const after = await it.end();
  t.equal(after.status, 0);
  t.match(after.text, /^2 cores, seed 1\n[\s\S]*│ slot-reuse +│/m);
  checkRestored(t, after);
});

t.test(
  "a terminal that is too narrow or cannot move its cursor gets plain tables, and is told why",
  async (t) => {
    const cases: readonly (readonly [{ columns?: number; term?: string }, RegExp])[] = [
      [{ columns: 50 }, /has 50 columns and 60 are needed: plain tables/],
      [{ term: "dumb" }, /TERM is dumb\) cannot move its cursor: plain tables/],
    ];
    for (const [options, reason] of cases) {
      const it = new TerminalProcess(t, LOOPS, options);
      await it.until(/ loops\.ts/);
      t.notOk(it.isAlternate);
      it.signal("SIGINT");
      const after = await it.end();
      t.equal(after.status, 130);
      t.match(after.text.replaceAll("\n", ""), reason);
      checkRestored(t, after);
    }
  },
);
