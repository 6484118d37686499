/** Loads and stores that may meet pages which somebody else brings. */
import { Err, isMemoryFault, type Sys } from "@capos/abi";
import type { Steps } from "./steps.js";

/** Times that a fault is told again because its handler died over it. */
const MAX_DEATHS = 8;

/**
 * Runs `f`, whose loads and stores may fault: the process's fault handler is told, and when it has answered `f` is run again,
 * from its begin. So `f` must be repeatable: what it stores it must be able to store twice, and it must not trap.
 *
 * Throws the `MemoryFault` if there is no handler, if that refuses (the first word of its answer is not 0), if the fault is no page's
 * (no address, not aligned), or if handlers die over it eight times.
 */
export function* access<T>(sys: Sys, f: () => T): Steps<T> {
  for (let deaths = 0; ; ) {
    try {
      return f();
    } catch (error) {
      if (!isMemoryFault(error) || (error.reason !== "not-mapped" && error.reason !== "not-allowed"))
        throw error;
      const status = yield sys.raiseFault();
      const verdict = sys.endFault();
      if (status === Err.PEER_DIED && deaths++ < MAX_DEATHS) continue;
      if (status < 0 || verdict !== 0) throw error;
    }
  }
}
