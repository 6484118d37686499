/** Numbers that are no handles: a lookup of each fails. */
export const NO_HANDLES = [
  0,
  1,
  5,
  -1,
  0.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  2 ** 32 - 1,
  2 ** 52,
  2 ** 53,
  1e300,
  -(2 ** 40),
];
