/**
 * Files that a command makes for its user: never over another one unless told, and there whole or not
 * at all. Checked before the work whose result they are to hold.
 */
import { closeSync, existsSync, openSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import process from "node:process";
import { reasonOf } from "@capos/explorer/reason";
import { UsageError } from "@capos/machine/errors";

/**
 * Makes sure, as far as that can be known before, that the file can be written; leaves nothing behind.
 * @param isForced whether it may be there already
 * @throws UsageError
 */
export function checkOutput(file: string, isForced: boolean): void {
  refuseExisting(file, isForced);
  const temporary = temporaryOf(file);
  writing(file, temporary, () => closeSync(openSync(temporary, "wx")));
  rmSync(temporary, { force: true });
}

/**
 * Writes the file whole, or leaves what was there.
 * @param isForced whether it may be there already
 * @throws UsageError
 */
export function writeOutput(file: string, text: string, isForced: boolean): void {
  refuseExisting(file, isForced);
  const temporary = temporaryOf(file);
  writing(file, temporary, () => {
    writeFileSync(temporary, text, { flag: "wx" });
    renameSync(temporary, file);
  });
}

function refuseExisting(file: string, isForced: boolean): void {
  if (!existsSync(file)) return;
  // A folder, a terminal, a device: a file put in its place would take it away.
  if (!statSync(file).isFile()) throw new UsageError(`${file} is no ordinary file: name another one`);
  if (!isForced) throw new UsageError(`${file} exists: name another file, or overwrite it with --force`);
}

/** Beside the file, so that it can be renamed. */
function temporaryOf(file: string): string {
  return `${file}.${process.pid}.tmp`;
}

function writing(file: string, temporary: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new UsageError(`${file} cannot be written: ${reasonOf(error)}`);
  }
}
