/**
 * The programs of a command line, `A.ts B.ts -- args`: files from the first word on, as long as the words are those of
 * guests' files. What stands behind them is the last one's, `--` or not; a `--` ends the files in any case.
 */
import { basename } from "node:path";
import { MAX_NAME_BYTES } from "@capos/abi";

/** A program as it is to be run. */
export interface ProgramWords {
  readonly file: string;
  /** What it is called: its file's name, with a number if another has the same. */
  readonly name: string;
  readonly args: readonly string[];
}

const GUEST_FILE = /\.(?:ts|mts|js|mjs)$/;

/** Reads the words behind `run`. The first is a file, whatever it is called. */
export function programsOf(first: string, rest: readonly string[]): ProgramWords[] {
  let files = rest.findIndex((word) => !GUEST_FILE.test(word));
  if (files < 0) files = rest.length;
  const args = rest.slice(rest[files] === "--" ? files + 1 : files);
  const all = [first, ...rest.slice(0, files)];
  const names = namesOf(all);
  return all.map((file, i) => ({ file, name: names[i]!, args: i === all.length - 1 ? args : [] }));
}

/** Names that differ, each one's file's as far as it fits. */
function namesOf(files: readonly string[]): string[] {
  const names: string[] = [];
  for (const file of files) {
    let name = shortened(basename(file), "");
    for (let number = 2; names.includes(name); number++) name = shortened(basename(file), `#${number}`);
    names.push(name);
  }
  return names;
}

/** A name with an end, in as many bytes as a process's name has. */
function shortened(name: string, end: string): string {
  const bytes = new TextEncoder().encode(name).subarray(0, MAX_NAME_BYTES - end.length);
  return new TextDecoder().decode(bytes, { stream: true }) + end;
}
