/** What the lines of a program begin with where several share a console. The console writes it and the host reads it. */

/** The label of a program's lines. No program can write one in another's name: each of its lines begins with its own. */
export function consoleLabel(name: string): string {
  return `${name.replaceAll("\n", " ")} | `;
}
