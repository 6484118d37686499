/**
 * `npm run calls -- [--seed N] [--from N] [--count N]`: tries every call of a built-in that the generator makes, or a stretch of a
 * seed's walk. Ends with 1 if one of them broke the promise.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { tryCalls } from "./campaign.js";

const USAGE = "usage: npm run calls -- [--seed N] [--from N] [--count N]";

function numbers(): { seed: number; from: number; count: number } {
  const text = { type: "string" } as const;
  const { values } = parseArgs({ options: { seed: text, from: text, count: text } });
  const read = (value: string | undefined, otherwise: number) => {
    const number = value === undefined ? otherwise : Number(value);
    if (!(number >= 0)) throw new RangeError(`${value} is not a number`);
    return number;
  };
  return {
    seed: read(values.seed, 1),
    from: read(values.from, 0),
    count: read(values.count, Number.MAX_SAFE_INTEGER),
  };
}

let range: ReturnType<typeof numbers>;
try {
  range = numbers();
} catch (error) {
  process.stderr.write(`calls: ${(error as Error).message}\n${USAGE}\n`);
  process.exit(2);
}
const { seed, from, count } = range;
const found = await tryCalls(
  { seed, from, end: Math.min(from + count, Number.MAX_SAFE_INTEGER) },
  {
    onBroken: ({ position, name, how }) => process.stdout.write(`${position} ${name}: ${how}\n`),
    onReached: (position, total) => process.stderr.write(`${position} of ${total}\n`),
  },
);
process.stdout.write(`seed ${seed}: ${found.length} calls broke the promise\n`);
process.exitCode = found.length === 0 ? 0 : 1;
