/**
 * One line of progress on a terminal, gone when the work is done; nothing where nobody watches.
 */

import process from "node:process";

const BAR_WIDTH = 24;

export interface Progress {
  show(what: string, fraction: number): void;
  /** Takes the line away, so that other text can be written. */
  clear(): void;
}

/** Shows nothing: for those who asked for quiet, or for a document. */
export const NO_PROGRESS: Progress = { show() {}, clear() {} };

/** Progress on standard error if that is a terminal that can move its cursor. */
export async function terminalProgress(): Promise<Progress> {
  if (!process.stderr.isTTY || process.env.TERM === "dumb") return NO_PROGRESS;
  // Only here: it takes as long to load as all the rest of a command's beginning.
  const { createLogUpdate } = await import("log-update");
  const update = createLogUpdate(process.stderr);
  return {
    show(what, fraction) {
      update(progressLine(what, fraction));
    },
    clear() {
      update.clear();
    },
  };
}

/** A bar and what it is of. */
export function progressLine(what: string, fraction: number): string {
  const full = Math.round(Math.min(Math.max(fraction, 0), 1) * BAR_WIDTH);
  return `${"█".repeat(full)}${"░".repeat(BAR_WIDTH - full)} ${what}`;
}
