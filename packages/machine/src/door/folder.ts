/**
 * Where running machines are found: a folder of this user's with a file for each process that runs one.
 *
 * The file is named by the process's number. On Unix it is the socket itself; on Windows, where sockets
 * are named pipes outside of any folder, it is empty and says that there is a pipe of that number.
 */
import { lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import process from "node:process";

const ON_WINDOWS = process.platform === "win32";
const PRIVATE = 0o700;
const OTHERS = 0o077;

/** The folder that cannot be trusted, and why. */
export class FolderError extends Error {
  override readonly name = "FolderError";
}

/** The folder's path. Nothing is made. */
export function folderPath(): string {
  const { uid, username } = userInfo();
  return join(tmpdir(), `capos-smp-${ON_WINDOWS ? username : uid}`);
}

/** The file of a process. */
export function filePath(pid: number): string {
  return join(folderPath(), String(pid));
}

/** What a process listens on. */
export function socketPath(pid: number): string {
  return ON_WINDOWS ? `\\\\.\\pipe\\capos-smp-${userInfo().username}-${pid}` : filePath(pid);
}

/**
 * Makes the folder if it is not there.
 * @throws FolderError if somebody else owns it or could write to it; the file system's errors.
 */
export function makeFolder(): void {
  mkdirSync(folderPath(), { recursive: true, mode: PRIVATE });
  checkFolder();
}

function checkFolder(): void {
  const path = folderPath();
  const status = lstatSync(path);
  if (!status.isDirectory()) throw new FolderError(`${path} is no folder`);
  if (ON_WINDOWS) return;
  if (status.uid !== userInfo().uid) throw new FolderError(`${path} belongs to another user`);
  if ((status.mode & OTHERS) !== 0) throw new FolderError(`${path} is open to other users`);
}

/**
 * Numbers of the processes that have a file and are alive, lowest first. Files of those that are not are removed.
 * @throws FolderError as `makeFolder`.
 */
export function listProcesses(): number[] {
  let names: string[];
  try {
    names = readdirSync(folderPath());
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  checkFolder();
  const alive: number[] = [];
  for (const name of names) {
    const pid = Number(name);
    if (!(Number.isSafeInteger(pid) && pid > 0)) continue;
    if (isAlive(pid)) alive.push(pid);
    else removeFile(pid);
  }
  return alive.sort((a, b) => a - b);
}

/** Removes the file of a process, if it is there. */
export function removeFile(pid: number): void {
  rmSync(filePath(pid), { force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
