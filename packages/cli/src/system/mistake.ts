/** What is wrong with a description, told with its place. */
import type { UsageError } from "@capos/machine/errors";

/** Where a setting stands in a description: names, and numbers in lists. */
export type Path = readonly (string | number)[];

/** Makes an error of what is wrong at a place. */
export type Wrong = (path: Path, what: string) => UsageError;

/** A description as it was read, nothing of it checked. */
export interface Reading {
  readonly value: unknown;
  readonly wrong: Wrong;
}

/** What a setting is called before what is wrong with it. */
export function titled(path: Path, remark = ""): string {
  return path.length === 0 ? "" : `${path.join(".")}${remark}: `;
}
