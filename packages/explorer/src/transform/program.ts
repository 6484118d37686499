/** A program under test: code that runs in coroutines, and where its accesses stand in its source. */
import type { Runtime, Site } from "../explore/runtime.js";

/**
 * An edit of one function before the transformation: part of a mutant.
 *
 * Code is written as in the source, without types and `!`. White space and comments do not count; const enums go by name.
 */
export interface Edit {
  /** The one function of the program with this name: `endThread`, `RingPort.publish`. */
  readonly function: string;
  /** Code that the function has exactly once, outside the functions with names of their own that lie in it. */
  readonly find: string;
  /** May use what any module of the program exports. */
  readonly replace: string;
}

export interface ProgramOptions {
  /** Path of the compiled module whose exports are the program. */
  readonly entry: string;
  /** Paths of further modules whose exports are part of it. */
  readonly also?: readonly string[];
  /** Modules that others stand in for: end of a module's path, path of its replacement. */
  readonly replacements: Readonly<Record<string, string>>;
  readonly edits: readonly Edit[];
  /** Folder that the names of source files are relative to; the entry's repository unless given. */
  readonly root?: string;
}

export interface Program {
  /** A script: an expression whose value is `(runtime, host) => exports`. With an inline source map. */
  readonly code: string;
  readonly sites: readonly Site[];
  /** Hash of the program's source without edits. */
  readonly fingerprint: string;
  /** Accesses that the runtime does not see: in code that cannot yield, or made by a built-in. */
  readonly untouched: readonly Site[];
}

/** What a program's module-level code needs besides the runtime: replaced modules find it under the name `$host`. */
export type Host = Readonly<Record<string, unknown>>;

/** An edit that does not fit the program (any more); the message is one line and says what to do. */
export class EditError extends Error {
  override readonly name = "EditError";
}

/** A program that cannot be transformed; the message names the place, and what to write instead. */
export class TransformError extends Error {
  override readonly name = "TransformError";
}

export type Instantiate = (program: Program, runtime: Runtime, host: Host) => Record<string, unknown>;
