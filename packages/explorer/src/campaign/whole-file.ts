/**
 * Files that are there whole or not at all, whatever keeps them from being written. Names of what is not whole yet are
 * random, and never those of a file that is there: another process may write into the same folder, from another
 * container too. Loads nothing else: commands begin with it.
 */
import { randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  fchmodSync,
  fsyncSync,
  lstatSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { reasonOf } from "./reason.js";

/** A file cannot be read or written: the message is one line and says what to do. */
export class FileError extends Error {
  override readonly name: string = "FileError";
}

/** What there is to do about a file that is in the way. */
const ADVICE = "name another file, or overwrite it with --force";

/**
 * Makes sure, as far as that can be known before, that a file can be written; leaves nothing behind.
 * @param replaces whether it may be there already
 * @throws FileError
 */
export function checkWritable(path: string, replaces: boolean): void {
  refuseExisting(path, replaces);
  new Draft(path).discard();
}

/**
 * Writes a file whole, or leaves what was there.
 * @param replaces whether it may be there already
 * @throws FileError
 */
export function writeWhole(path: string, text: string, replaces: boolean): void {
  refuseExisting(path, replaces);
  const draft = new Draft(path);
  draft.write(Buffer.from(text));
  draft.keep(replaces);
}

/**
 * A file that is written piece by piece. If there was none it lies in its place from the begin, so that nobody else
 * takes that; else what was there stays until the new one is whole.
 */
export class GrowingFile {
  readonly #isNew: boolean;
  readonly #file: Draft;

  /**
   * @param replaces whether it may be there already
   * @throws FileError
   */
  constructor(path: string, replaces: boolean) {
    refuseExisting(path, replaces);
    this.#isNew = look(path) === undefined;
    this.#file = new Draft(path, this.#isNew ? path : besides(path));
  }

  /** Appends. Of a file that cannot be written to its end nothing is left. @throws FileError */
  write(bytes: Uint8Array): void {
    this.#file.write(bytes);
  }

  /** It is whole. @throws FileError */
  keep(): void {
    this.#file.keep(!this.#isNew);
  }

  /** Nothing is left of it, unless it is whole. */
  discard(): void {
    this.#file.discard();
  }
}

/** A file that is being written, beside its place or in it. What fails removes it. */
class Draft {
  readonly #descriptor: number;
  #isOpen = true;

  constructor(
    private readonly path: string,
    private readonly own = besides(path),
  ) {
    try {
      this.#descriptor = openSync(own, "wx");
    } catch (error) {
      throw cannotBeWritten(path, error);
    }
  }

  write(bytes: Uint8Array): void {
    this.#try(() => {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#descriptor, bytes, at);
    });
  }

  keep(replaces: boolean): void {
    const { path, own } = this;
    this.#try(() => {
      const before = statSync(path, { throwIfNoEntry: false });
      if (own !== path && before !== undefined) fchmodSync(this.#descriptor, before.mode & 0o777);
      // A disk may say as late as this that it is full.
      fsyncSync(this.#descriptor);
    });
    this.#close();
    if (own === path) return;
    try {
      // Somebody may have made it meanwhile. From here on it is ours.
      if (!replaces) closeSync(openSync(path, "wx"));
    } catch (error) {
      rmSync(own, { force: true });
      throw cannotBeWritten(path, error);
    }
    try {
      // What a link leads to is replaced, not the link.
      renameSync(own, existsSync(path) ? realpathSync(path) : path);
    } catch (error) {
      rmSync(own, { force: true });
      if (!replaces) rmSync(path, { force: true });
      throw cannotBeWritten(path, error);
    }
  }

  /** Nothing is left of it; of one that is whole, or failed, that is so already. */
  discard(): void {
    if (!this.#isOpen) return;
    this.#close();
    rmSync(this.own, { force: true });
  }

  #close(): void {
    this.#isOpen = false;
    closeSync(this.#descriptor);
  }

  #try(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.discard();
      throw cannotBeWritten(this.path, error);
    }
  }
}

/** A path that can be renamed to another. Its name is short, however long the other is. */
function besides(path: string): string {
  const place = existsSync(path) ? realpathSync(path) : path;
  return join(dirname(place), `.capos-${randomBytes(8).toString("hex")}.tmp`);
}

function refuseExisting(path: string, replaces: boolean): void {
  const found = look(path);
  // A folder, a terminal, a device: a file put in its place would take it away. A link to nowhere is nobody's loss.
  if (found?.isFile() === false && !found.isSymbolicLink())
    throw new FileError(`${path} is no ordinary file: name another one`);
  if (found !== undefined && !replaces) throw new FileError(`${path} exists: ${ADVICE}`);
}

/** What is there; of a link what it leads to, if it leads somewhere. */
function look(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw cannotBeWritten(path, error);
  }
}

function cannotBeWritten(path: string, error: unknown): FileError {
  if ((error as NodeJS.ErrnoException).code === "EEXIST") return new FileError(`${path} exists: ${ADVICE}`);
  return new FileError(`${path} cannot be written: ${reasonOf(error)}`);
}
