/** Several processes: each does a piece of work, and its parent is told how it ended. */
import {
  Endpoint,
  endProcess,
  LifeState,
  lifeName,
  type Os,
  protocol,
  type SpawnedProcess,
  type Sys,
  spawnProcess,
  start,
  u53,
  waitForProcess,
} from "capos/guest";

const Results = protocol("results", {
  found: { request: { primes: u53 }, reply: {} },
});

function isPrime(n: number): boolean {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false;
  return n > 1;
}

/** Counts the primes of a range; says so to whoever started it. */
function* worker(os: Os) {
  const [from, to] = os.args.map(Number);
  if (!(from < to)) throw new RangeError(`no range: ${os.args.join(" to ")}`);
  let primes = 0;
  for (let n = from; n < to; n++) if (isPrime(n)) primes++;
  yield* Results.client(os.sys, os.handed[0]!).found({ primes });
  return 7;
}

export default function* main(sys: Sys) {
  const os = start(sys);
  if (os.name === "worker") return yield* worker(os);

  const endpoint = yield* os.cspace.make(Endpoint);
  const results = yield* os.cspace.offer(Results, endpoint, 1);
  const ranges = [
    ["0", "10000"],
    ["10000", "20000"],
    ["10", "1"],
  ];
  const workers: SpawnedProcess[] = [];
  for (const [i, args] of ranges.entries())
    workers.push(
      yield* spawnProcess(os, { name: "worker", core: 1 + (i % (os.cores - 1)), args, gifts: [results] }),
    );

  let answers = 0;
  let total = 0;
  yield* Results.serve(sys, endpoint, {
    found({ primes }, context) {
      total += primes;
      if (++answers === 2) context.end();
    },
  });
  yield* os.print(`${total} primes`);

  for (const one of workers) {
    const { state, status, fault } = yield* waitForProcess(os, one);
    yield* os.print(state === LifeState.EXITED ? `exited with ${status}` : `${lifeName(state)}: ${fault}`);
    // Its memory is this process's again.
    yield* endProcess(os, one);
  }
  return 0;
}
