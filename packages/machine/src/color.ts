/** Whether to print in colour. Loads nothing else: command lines begin with it. */

/** What turns colours on, whatever the output is. Any other value turns them off. */
const ON: ReadonlySet<string> = new Set(["", "1", "2", "3", "true"]);

/** As the environment says: FORCE_COLOR first, then NO_COLOR (if not empty) and TERM=dumb; else as a terminal has them. */
export function wantsColor(
  isTTY: boolean,
  env: Readonly<Record<string, string | undefined>> = process.env,
): boolean {
  if (env.FORCE_COLOR !== undefined) return ON.has(env.FORCE_COLOR);
  return isTTY && !env.NO_COLOR && env.TERM !== "dumb";
}
