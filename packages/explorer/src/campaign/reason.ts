/** Failures of the file system, as users are told of them. Loads nothing else: commands begin with it. */

/** Why a file cannot be read or written, in a few words. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  const known: Record<string, string> = {
    EISDIR: "it is a folder",
    EACCES: "no permission",
    ENOENT: "there is no such folder",
    ENOTDIR: "there is no such folder",
    ENOSPC: "no space is left",
    EROFS: "the file system takes no writes",
  };
  return (code !== undefined ? known[code] : undefined) ?? error.message;
}
