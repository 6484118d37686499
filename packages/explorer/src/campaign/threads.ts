/** Threads that explore. */
import { Piscina } from "piscina";

/** A pool of up to `most` threads that run a module. Work takes them long: nothing is gained by waking up for it fast. */
export function threadPool(module: URL, most: number): Piscina {
  return new Piscina({
    filename: module.href,
    minThreads: 1,
    maxThreads: most,
    atomics: "disabled",
    // Node 20.19.0 ends the whole process when a thread is terminated while it loads a module by require; import is safe.
    execArgv: ["--no-experimental-require-module"],
    recordTiming: false,
  });
}
