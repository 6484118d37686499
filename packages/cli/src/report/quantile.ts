/** Percentiles that a row does not name, from its distribution. */

import type { Distribution } from "@capos/bench";

/** Nanoseconds that `part` of the samples do not reach, to a bin: 6 %. */
export function quantile({ binsPerDecade, lowestNs, counts }: Distribution, part: number): number {
  const wanted = part * counts.reduce((sum, count) => sum + count, 0);
  let sum = 0;
  const bin = counts.findIndex((count) => {
    sum += count;
    return sum > wanted;
  });
  return lowestNs * 10 ** ((bin === -1 ? counts.length : bin) / binsPerDecade);
}
