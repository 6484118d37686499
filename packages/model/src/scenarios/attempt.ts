/** Operations whose errors are results. */
import { Err } from "@capos/abi";
import { IpcError } from "@capos/libos";

/** Runs steps; answers their result, or the `Err` that they failed with. */
export function* attempt<Result>(
  steps: Generator<number, Result, number>,
): Generator<number, Result | number, number> {
  try {
    return yield* steps;
  } catch (error) {
    if (error instanceof IpcError) return error.code;
    throw error;
  }
}

/** True if a guest noted the attempt of this name and it succeeded, one that gives nothing then. */
export function isDone(seen: ReadonlyMap<string, unknown>, name: string): boolean {
  return seen.has(name) && seen.get(name) === undefined;
}

/** True for a result that says that a capability was taken back, before or while it was used. */
export function isTakenBack(result: unknown): boolean {
  return result === Err.BAD_CAP || result === Err.REVOKED;
}
