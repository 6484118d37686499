/** Numbers that an application says, checked. */
import { UsageError } from "./errors.js";

/** @throws UsageError if the value is no integer from `low` to `high` */
export function inRange(name: string, value: number, low: number, high: number): number {
  if (!Number.isInteger(value) || value < low || value > high) {
    throw new UsageError(`${name}: ${value} is out of range, ${low} to ${high} are possible`);
  }
  return value;
}
