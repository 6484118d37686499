/** Quantities as people read them: three significant digits and a unit, at most seven characters. */

const DURATION_UNITS = ["ns", "µs", "ms", "s"] as const;
const COUNT_UNITS = ["", "k", "M", "G", "T"] as const;

/** Nanoseconds as "30.2 ns", "1.24 µs", "37.0 ms", "5.10 s". */
export function formatDuration(ns: number): string {
  return scale(ns, DURATION_UNITS);
}

/** A count or a rate as "812", "1.24 k", "33.1 M". */
export function formatCount(count: number): string {
  return Number.isInteger(count) && count < 1000 ? String(count) : scale(count, COUNT_UNITS);
}

/** Bytes as "96 B", "0.5 B". */
export function formatBytes(bytes: number): string {
  return `${bytes < 10 ? Number(bytes.toFixed(1)) : Math.round(bytes).toLocaleString("en-US")} B`;
}

/** How a median stands to another: "3.9x generator-switch", "812x faster than comlink". */
export function formatRatio(ratio: number, other: string): string {
  return isFaster(ratio)
    ? `${formatFactor(1 / ratio)}x faster than ${other}`
    : `${formatFactor(ratio)}x ${other}`;
}

/** Whether a ratio is by so much below 1 that it is told as a factor of speed. */
function isFaster(ratio: number): boolean {
  return ratio < 1 && formatFactor(1 / ratio) !== "1.0";
}

/** The interval of a ratio, as `formatRatio` turns it: "3.81 to 4.02"; where that says "2.0x faster", "1.96 to 2.11". */
export function formatInterval({ ratio, low, high }: { ratio: number; low: number; high: number }): string {
  const [from, to] = isFaster(ratio) ? [1 / high, 1 / low] : [low, high];
  return `${formatBound(from)} to ${formatBound(to)}`;
}

/** A change in percent as "+3.2 %", "-41.0 %", "+1,240 %"; "0.0 %" for what rounds to nothing. */
export function formatChange(percent: number): string {
  const size = Math.abs(percent);
  const text = size < 99.95 ? size.toFixed(1) : Math.round(size).toLocaleString("en-US");
  const sign = text === "0.0" ? "" : percent > 0 ? "+" : "-";
  return `${sign}${text} %`;
}

/** A moment in ISO 8601, to the minute: "2026-03-01 12:00 UTC". */
export function formatMoment(moment: string): string {
  return `${moment.slice(0, 16).replace("T", " ")} UTC`;
}

function formatFactor(factor: number): string {
  if (factor >= 99.95) return Math.round(factor).toLocaleString("en-US");
  return factor >= 0.05 ? factor.toFixed(1) : factor.toPrecision(1);
}

function formatBound(factor: number): string {
  return factor < 9.995 && factor >= 0.05 ? factor.toFixed(2) : formatFactor(factor);
}

function scale(value: number, units: readonly string[]): string {
  let unit = 0;
  // 999.5 has to become 1.00 of the next unit, not 1000 of this one.
  while (unit < units.length - 1 && value >= 999.5) {
    value /= 1000;
    unit++;
  }
  const decimals = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(decimals)} ${units[unit]}`.trimEnd();
}
