/**
 * Values of options, read from the command line: each function answers the value, or throws what commander tells the
 * user.
 */
import { MAX_REPETITIONS } from "@capos/bench/limits";
import { SECTIONS, type SectionName } from "@capos/inspect/state";
import { isTraceSize, MAX_TRACE_KIB, MIN_TRACE_KIB } from "@capos/trace/size";
import { InvalidArgumentError } from "commander";

const MIN_SECONDS = 0.1;
const MAX_SECONDS = 3600;

/** Reads a whole number of a range. */
export function integer(low: number, high: number) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isInteger(value) || value < low || value > high) {
      throw new InvalidArgumentError(`A whole number from ${low} to ${high} is needed.`);
    }
    return value;
  };
}

/** Reads a power of two. */
export function powerOfTwo(high: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!(value >= 1 && value <= high && Number.isInteger(Math.log2(value))))
      throw new InvalidArgumentError(`A power of two from 1 to ${high} is needed.`);
    return value;
  };
}

/** Reads a time in seconds, above 0. */
export function secondsUpTo(most: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!(value > 0 && value <= most))
      throw new InvalidArgumentError(`A number above 0, at most ${most}, is needed.`);
    return value;
  };
}

/** Reads the size of a trace ring in KiB; 0 is none. */
export function traceSize(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !isTraceSize(value)) {
    throw new InvalidArgumentError(
      `0, or a power of two from ${MIN_TRACE_KIB} to ${MAX_TRACE_KIB}, is needed.`,
    );
  }
  return value;
}

/** Reads how many milliseconds are wanted. */
export function milliseconds(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 3_600_000))
    throw new InvalidArgumentError("A number of milliseconds above 0, at most 3600000, is needed.");
  return value;
}

/** Reads the length of an interval. */
export function intervalSeconds(text: string): number {
  const value = Number(text);
  if (!(value >= MIN_SECONDS && value <= MAX_SECONDS))
    throw new InvalidArgumentError(`A number of seconds from ${MIN_SECONDS} to ${MAX_SECONDS} is needed.`);
  return value;
}

/** Reads what names a machine: its process's number, or that and what tells it from one with the same number. */
export function machineName(text: string): string {
  if (!/^[1-9]\d*(-[0-9a-f]+)?$/.test(text))
    throw new InvalidArgumentError("The number of a process is needed.");
  return text;
}

/** Reads names of sections, with commas between them. */
export function sectionNames(text: string): SectionName[] {
  return text.split(",").map((word) => {
    const name = SECTIONS.find((section) => section === word.trim());
    if (name === undefined)
      throw new InvalidArgumentError(
        `There is no section ${word.trim()}, the sections are ${SECTIONS.join(", ")}.`,
      );
    return name;
  });
}

/** Reads how often to measure. */
export function repetitions(text: string): number {
  try {
    return integer(1, MAX_REPETITIONS)(text);
  } catch (error) {
    // Most likely a suite: the number may be left out, so what follows is taken for it.
    if (error instanceof InvalidArgumentError && !/\d/.test(text))
      throw new InvalidArgumentError("A number is needed, or none: then put the suites before --repeat.");
    throw error;
  }
}

/** Reads a share. */
export function percent(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value <= 1000))
    throw new InvalidArgumentError("A number of percent, 0 to 1000, is needed.");
  return value;
}
