/** What ratios of turns that stood beside each other come to, in the words of a note. */
import { median } from "simple-statistics";
import { medianInterval } from "./statistics.js";

/** The median as a change, and the interval that holds it: "-0.5 %", "-9.6 % to 19.9 % with 96.1 % confidence". */
export function ratioWords(ratios: number[]): { change: string; interval: string } {
  const { low, high, confidence } = medianInterval(ratios);
  return {
    change: percent(median(ratios)),
    interval: `${percent(low)} to ${percent(high)} with ${(confidence * 100).toFixed(1)} % confidence`,
  };
}

function percent(ratio: number): string {
  return `${((ratio - 1) * 100).toFixed(1)} %`;
}
