/**
 * Why a guest could not be built, in one line: `file:line:column: what is wrong, what is allowed`.
 */
import { isAbsolute, relative } from "node:path";
import { visible } from "@capos/abi";

/** A place in a source file; line and column count from 1, as editors and stack traces do. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** The user's mistake, never ours: whoever shows it needs no stack. */
export class GuestBuildError extends Error {
  override readonly name = "GuestBuildError";

  constructor(
    /** What is wrong and what is allowed, without the place. */
    readonly reason: string,
    /** Where, if it is somewhere. */
    readonly place: Place | null = null,
  ) {
    const oneLine = reason.replace(/\s+/g, " ");
    // What a guest calls its files and names would else be obeyed by the terminal.
    super(
      visible(place === null ? oneLine : `${shown(place.file)}:${place.line}:${place.column}: ${oneLine}`),
    );
  }
}

/** A path as a user would type it: relative if the file is below the current folder. */
export function shown(file: string): string {
  if (!isAbsolute(file)) return file;
  const path = relative(process.cwd(), file);
  return path === "" || path.startsWith("..") ? file : path;
}
