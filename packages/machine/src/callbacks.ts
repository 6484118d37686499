/**
 * Calling what an application gave: a callback of its that throws, or whose promise is rejected, is its own matter.
 *
 * The error is thrown again where nothing of a machine's is under way, so it reaches the process's own handlers
 * of `uncaughtException`, and the machine goes on as if the callback had come back.
 */

/** Hands an error to the process's handlers. */
export function report(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

/** Calls a callback; answers what it answers, undefined if it threw. A promise is answered as one that is never rejected. */
export function call<Arguments extends readonly unknown[], Answer>(
  callback: (...args: Arguments) => Answer,
  ...args: Arguments
): Answer | Promise<unknown> | undefined {
  try {
    const answer = callback(...args);
    return isPromise(answer) ? Promise.resolve(answer).catch(report) : answer;
  } catch (error) {
    report(error);
    return undefined;
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === "function";
}
