/**
 * Where running machines are found: a folder of this user's with a socket for each.
 *
 * A socket is named by its process's number and a random part that is never used again: in a folder that containers
 * share, numbers repeat. Whether a machine runs is learned by connecting to it; its number says nothing, for it may be
 * one of another container's or have been given to another process. A socket has its name only once it is listened at,
 * so one that has a name and refuses is left over, and whoever finds it may take it away.
 *
 * On Windows, where sockets are named pipes outside of any folder, the file is empty and says that there is a pipe.
 */
import { randomBytes } from "node:crypto";
import { closeSync, constants, lstatSync, mkdirSync, openSync, readdirSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";

export const ON_WINDOWS = process.platform === "win32";
const PRIVATE = 0o700;
const OTHERS = 0o077;
/** Bytes of a socket's path that Linux and others take. Node cuts a longer one off, and says nothing. */
const MAX_PATH_BYTES = process.platform === "linux" ? 107 : 103;
const RANDOM_BYTES = 6;
const NAME = /^([1-9]\d*)-[0-9a-f]{12}$/;

/** Errors of a connection that say that nobody listens. */
const NOBODY: ReadonlySet<string> = new Set(["ECONNREFUSED", "ENOENT", "ENOTSOCK"]);

/** The folder that cannot be used, and why. The message is one line. */
export class FolderError extends Error {
  override readonly name = "FolderError";
}

/** A machine that somebody listens for. */
export interface RunningMachine {
  /** Its process's number, as its process sees it. */
  readonly pid: number;
  /** Its file's name: what tells it from all others. */
  readonly name: string;
}

/** The folder's path. Nothing is made. */
export function folderPath(): string {
  const user = ON_WINDOWS ? userInfo().username : process.getuid!();
  return resolve(tmpdir(), `capos-smp-${user}`);
}

/** A name that no machine has had. */
export function newName(): string {
  return `${process.pid}-${randomBytes(RANDOM_BYTES).toString("hex")}`;
}

/** Whether an error of a connection says that nobody listens. */
export function saysNobody(error: unknown): boolean {
  return NOBODY.has((error as NodeJS.ErrnoException).code ?? "");
}

/** A way to the folder's sockets that is short enough for the system, however long the folder's path is. */
export class SocketRoute {
  readonly #folder = folderPath();
  readonly #descriptor: number | null = null;

  /** @throws FolderError if there is no such way */
  constructor() {
    const longest = join(this.#folder, `.${newName()}`);
    if (ON_WINDOWS || Buffer.byteLength(longest) <= MAX_PATH_BYTES) return;
    if (process.platform !== "linux")
      throw new FolderError(`${this.#folder} is too long a path for sockets: set TMPDIR to a shorter one`);
    this.#descriptor = inFolder(() => openSync(this.#folder, constants.O_RDONLY | constants.O_DIRECTORY));
  }

  /** What to listen at, or to connect to, for a file's name. */
  to(name: string): string {
    if (ON_WINDOWS) return `\\\\.\\pipe\\capos-smp-${userInfo().username}-${name}`;
    return this.#descriptor === null ? join(this.#folder, name) : `/proc/self/fd/${this.#descriptor}/${name}`;
  }

  /** Lets go of it. What listens goes on. */
  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
  }
}

/**
 * Makes the folder if it is not there. The one that it is to be in must be.
 * @throws FolderError if it cannot be made, if somebody else owns it or could write to it
 */
export function makeFolder(): void {
  inFolder(() => {
    try {
      mkdirSync(folderPath(), { mode: PRIVATE });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  });
  checkFolder();
}

function checkFolder(): void {
  const path = folderPath();
  const status = inFolder(() => lstatSync(path));
  if (!status.isDirectory()) throw new FolderError(`${path} is no folder`);
  if (ON_WINDOWS) return;
  if (status.uid !== process.getuid!()) throw new FolderError(`${path} belongs to another user`);
  if ((status.mode & OTHERS) !== 0) throw new FolderError(`${path} is open to other users`);
}

/**
 * Machines that are listened for, by their numbers. Files of those that nobody listens for any more are removed.
 * @throws FolderError as `makeFolder`
 */
export async function listMachines(): Promise<RunningMachine[]> {
  const names = namesInFolder();
  if (names === null) return [];
  checkFolder();
  const route = new SocketRoute();
  try {
    const known = names.map((name) => ({ pid: Number(NAME.exec(name)![1]), name }));
    const alive = await Promise.all(known.map(({ name }) => isListenedAt(route.to(name))));
    known.forEach(({ name }, i) => {
      if (!alive[i]) removeFile(name);
    });
    return known.filter((_, i) => alive[i]).sort((a, b) => a.pid - b.pid || (a.name < b.name ? -1 : 1));
  } finally {
    route.close();
  }
}

/** Names of machines in the folder; null if it is not there, but could be. */
function namesInFolder(): string[] | null {
  return inFolder(() => {
    try {
      return readdirSync(folderPath()).filter((name) => NAME.test(name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      readdirSync(tmpdir());
      return null;
    }
  });
}

/** Does something with the folder. */
function inFolder<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new FolderError(
      `${tmpdir()}, the folder for temporary files, cannot be used: ${code ?? message}; set TMPDIR to another one`,
    );
  }
}

/** Removes a machine's file, if it is there and can be removed: one that stays is found to be left over again. */
export function removeFile(name: string): void {
  try {
    rmSync(join(folderPath(), name), { force: true });
  } catch {
    // The folder has become another's, or read-only: nothing of it is this process's to put right.
  }
}

/** False only if it is certain that nobody is there. */
function isListenedAt(path: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(path, () => {
      socket.destroy();
      done(true);
    });
    socket.on("error", (error) => done(!saysNobody(error)));
  });
}
