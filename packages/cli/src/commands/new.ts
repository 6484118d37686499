/** `capos-smp new DIR`: a project to start from. */
import { visibleJson } from "@capos/abi";
import { newProject } from "../new-project.js";
import type { Session } from "../session.js";

export interface NewFlags {
  readonly json?: boolean;
}

/** Makes a project; answers the exit status. */
export function newCommand(folder: string, { json }: NewFlags, { stdout }: Session): number {
  const made = newProject(folder);
  stdout.write(
    json === true
      ? `${visibleJson({ folder: made })}\n`
      : `a project is in ${folder}; what is next:\n  cd ${folder}\n  npm install\n  npm run programs\n`,
  );
  return 0;
}
