/**
 * One line of progress on a terminal, gone when the work is done; nothing where nobody watches.
 */

import process from "node:process";
import { createLogUpdate } from "log-update";

const BAR_WIDTH = 24;

export interface Progress {
  show(what: string, fraction: number): void;
  /** Takes the line away, so that other text can be written. */
  clear(): void;
}

/** Progress on standard error if that is a terminal and the user did not ask for quiet. */
export function terminalProgress(quiet: boolean): Progress {
  if (quiet || !process.stderr.isTTY) return { show() {}, clear() {} };
  const update = createLogUpdate(process.stderr);
  return {
    show(what, fraction) {
      const full = Math.round(Math.min(Math.max(fraction, 0), 1) * BAR_WIDTH);
      update(`${"█".repeat(full)}${"░".repeat(BAR_WIDTH - full)} ${what}`);
    },
    clear() {
      update.clear();
    },
  };
}
