/** Files that a command makes for its user: never over another one unless told, and there whole or not at all. */
import * as files from "@capos/explorer/whole-file";
import { UsageError } from "@capos/machine/errors";

/** Does something with a file; what goes wrong with it is a mistake of the user's. @throws UsageError */
export function withFile<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof files.FileError) throw new UsageError(error.message);
    throw error;
  }
}

/**
 * Makes sure, before the work whose result it is to hold, that a file can be written; leaves nothing behind.
 * @param isForced whether it may be there already
 * @throws UsageError
 */
export function checkOutput(file: string, isForced: boolean): void {
  withFile(() => files.checkWritable(file, isForced));
}

/**
 * Writes the file whole, or leaves what was there.
 * @param isForced whether it may be there already
 * @throws UsageError
 */
export function writeOutput(file: string, text: string, isForced: boolean): void {
  withFile(() => files.writeWhole(file, text, isForced));
}
