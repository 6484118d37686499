/**
 * The host did not give a machine what it needs: memory, threads, file descriptors, or a V8 that is as the kernel wants
 * it. The message is one line that says what to do.
 */
export class HostError extends Error {
  override readonly name = "HostError";
}

/** What to do about each of the errors that Node has for a thread that cannot start. */
const ADVICE: Readonly<Record<string, string>> = {
  ERR_WORKER_INIT_FAILED:
    "start it with fewer cores, or raise the host's limits of threads (ulimit -u) and open files (ulimit -n)",
  ERR_WORKER_OUT_OF_MEMORY: "start it with fewer cores, or raise the host's limit of memory (ulimit -v)",
  ERR_ACCESS_DENIED: "start Node with --allow-worker, or without its permission model",
};

/** `what`, in the words of its user, could not start because of `error`. */
export function cannotStart(what: string, error: unknown): HostError {
  if (error instanceof HostError) return error;
  const { code, message } = error as { code?: string; message?: string };
  const reason = (message ?? String(error)).split("\n", 1)[0];
  const advice = ADVICE[code ?? ""];
  return new HostError(`${what} cannot start: ${reason}${advice === undefined ? "" : `; ${advice}`}`);
}
