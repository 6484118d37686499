/**
 * What it costs that computing code can be interrupted: the same functions as they are, with the checks of code that
 * cannot yield, and as their twins, which yield (packages/image/src/twins.ts). CPU time, the least of some runs each,
 * in one process, as ratios: what else runs on the host changes little.
 *
 *     node scripts/compute-cost.mjs
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import vm from "node:vm";
import { buildImage } from "../packages/image/dist/index.js";

const ROUNDS = 7;

const FUNCTIONS = `
function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
function collatz(to) { let most = 0; for (let i = 1; i < to; i++) { let n = i, c = 0; while (n !== 1) { n = n % 2 ? 3 * n + 1 : n / 2; c++; } if (c > most) most = c; } return most; }
function fits(rows, c) { for (let i = 0; i < rows.length; i++) if (rows[i] === c || Math.abs(rows[i] - c) === rows.length - i) return false; return true; }
function queens(n, rows) { if (rows.length === n) return 1; let found = 0; for (let c = 0; c < n; c++) if (fits(rows, c)) found += queens(n, rows.concat(c)); return found; }
function add(a, b) { let s = 0; for (let i = 0; i < 4; i++) s += a + b; return s; }
function short(n) { let s = 0; for (let i = 0; i < n; i++) s += add(i, s & 7); return s; }
class Matrix {
  constructor(n) { this.n = n; this.a = []; for (let i = 0; i < n * n; i++) this.a.push(i % 7); }
  square() { const { n, a } = this; let sum = 0; for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) { let x = 0; for (let k = 0; k < n; k++) x += a[i * n + k] * a[k * n + j]; sum += x; } return sum; }
}
const matrix = new Matrix(120);
`;

const CASES = [
  ["fib(30)", "fib(30)", "recursion that only computes"],
  ["collatz(60000)", "collatz(60000)", "nested loops"],
  ["queens(8)", "queens(8, [])", "recursion and loops over arrays"],
  ["matrix.square()", "matrix.square()", "a method's loops"],
  ["short(300000)", "short(300000)", "calls of a loop of four turns"],
];

const folder = mkdtempSync(join(tmpdir(), "capos-compute-"));
try {
  process.stdout.write("code              what it is                        checks   twins   (plain = 1)\n");
  for (const [index, [name, call, what]] of CASES.entries()) {
    const file = join(folder, `case${index}.mjs`);
    writeFileSync(
      file,
      `${FUNCTIONS}\nexport default function* main(sys) { for (;;) { sys.direct = () => ${call}; yield 1; sys.result = ${call}; } }\n`,
    );
    const image = await buildImage(file);
    const plain = vm.runInThisContext(`(function() {${FUNCTIONS}return () => ${call}; })`)();
    const sys = {};
    const nothing = () => {};
    const steps = vm.runInThisContext(image.code)(
      nothing,
      () => false,
      nothing,
      (all) => all,
      nothing,
      nothing,
      nothing,
    )(sys);
    steps.next();
    const { direct } = sys;
    const times = { plain: [], checked: [], twin: [] };
    for (let round = 0; round < ROUNDS; round++) {
      times.plain.push(cpuTimeOf(plain));
      times.checked.push(cpuTimeOf(direct));
      times.twin.push(cpuTimeOf(() => steps.next()));
    }
    if (plain() !== direct() || plain() !== sys.result) throw new Error(`${name}: the results differ`);
    const least = (list) => Math.min(...list);
    const ratio = (list) => (least(list) / least(times.plain)).toFixed(2).padStart(7);
    process.stdout.write(
      `${name.padEnd(18)}${what.padEnd(33)}${ratio(times.checked)} ${ratio(times.twin)}\n`,
    );
  }
} finally {
  rmSync(folder, { recursive: true });
}

/** Milliseconds of CPU time. */
function cpuTimeOf(work) {
  const before = process.cpuUsage().user;
  work();
  return (process.cpuUsage().user - before) / 1000;
}
