/**
 * Address space that the host lets this process have (`ulimit -v`). V8 ends the whole process when it cannot reserve
 * what a thread's heap needs, so it is looked at before. Linux tells; elsewhere nothing is known and nothing refused.
 */
import { readFileSync } from "node:fs";
import { HostError } from "./host-error.js";

const MIB = 2 ** 20;
/** What a thread with its V8 reserves, most of it never used: 590 to 840 MiB were measured on Node 20 to 26. */
const THREAD_MIB = 900;

/**
 * Makes sure that there is room for so many threads more.
 * @throws HostError
 */
export function checkAddressSpace(threads: number): void {
  const limit = read("/proc/self/limits", /^Max address space +(\d+)/m);
  const used = read("/proc/self/status", /^VmSize:\s+(\d+) kB/m);
  if (limit === null || used === null) return;
  const limitMiB = Math.floor(limit / MIB);
  const neededMiB = Math.ceil((used * 1024) / MIB) + threads * THREAD_MIB;
  if (neededMiB <= limitMiB) return;
  throw new HostError(
    `the host lets this process have ${limitMiB} MiB of address space, and ${neededMiB} are needed: ` +
      "give the machine fewer cores or less memory, or raise the limit (ulimit -v)",
  );
}

/** A number from a file; null without such a file, or if it has no number there. */
function read(file: string, pattern: RegExp): number | null {
  try {
    const found = pattern.exec(readFileSync(file, "utf8"));
    return found === null ? null : Number(found[1]);
  } catch {
    return null;
  }
}
