/** Threads that explore. */
import { Piscina } from "piscina";

/** A pool of up to `most` threads that run a module. Work takes them long: nothing is gained by waking up for it fast. */
export function threadPool(module: URL, most: number): Piscina {
  return new Piscina({
    filename: module.href,
    minThreads: 1,
    maxThreads: most,
    atomics: "disabled",
    execArgv: [],
    recordTiming: false,
  });
}
