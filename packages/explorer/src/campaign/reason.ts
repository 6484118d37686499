/** Failures of the file system, as users are told of them. Loads nothing else: commands begin with it. */

/** Why a file cannot be read or written, in a few words. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  const known: Record<string, string> = {
    EISDIR: "it is a folder",
    EACCES: "no permission",
    EPERM: "no permission",
    ENOENT: "there is no such folder",
    ENOTDIR: "there is no such folder",
    ELOOP: "its links lead in a circle",
    ENAMETOOLONG: "its name is too long",
    ENOSPC: "no space is left",
    EDQUOT: "no space is left for this user",
    EFBIG: "a file may not become that large here (ulimit -f)",
    EROFS: "the file system takes no writes",
    EMFILE: "too many files are open (ulimit -n)",
    ENFILE: "too many files are open on this host",
  };
  return (code !== undefined ? known[code] : undefined) ?? error.message;
}
