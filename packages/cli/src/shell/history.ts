/** What was typed at shells before: a file of this user's own, in the folder for state. Two shells at once both add to it. */
import { appendFileSync, chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import process from "node:process";

const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;
const MAX_LINES = 1000;
/** Beyond that many lines the file is written anew. */
const MAX_KEPT_LINES = 4 * MAX_LINES;

export class History {
  readonly #folder: string;
  readonly #file: string;
  #isKept = true;

  /** @param onTrouble is told, once, why nothing is kept */
  constructor(private readonly onTrouble: (why: string) => void) {
    const { XDG_STATE_HOME: state = "" } = process.env;
    // As its specification has it, a path that is not absolute counts for nothing.
    this.#folder = join(isAbsolute(state) ? state : join(homedir(), ".local", "state"), "capos-smp");
    this.#file = join(this.#folder, "shell-history");
  }

  /** The latest lines, the last one first. */
  read(): string[] {
    try {
      const lines = readFileSync(this.#file, "utf8").split("\n").filter(Boolean);
      const latest = lines.slice(-MAX_LINES);
      if (lines.length > MAX_KEPT_LINES)
        writeFileSync(this.#file, `${latest.join("\n")}\n`, { mode: PRIVATE_FILE });
      return latest.reverse();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") this.#tell(error);
      return [];
    }
  }

  add(line: string): void {
    if (!this.#isKept) return;
    try {
      mkdirSync(this.#folder, { recursive: true, mode: PRIVATE_FOLDER });
      appendFileSync(this.#file, `${line}\n`, { mode: PRIVATE_FILE });
      chmodSync(this.#file, PRIVATE_FILE);
    } catch (error) {
      this.#tell(error);
    }
  }

  #tell(error: unknown): void {
    if (!this.#isKept) return;
    this.#isKept = false;
    this.onTrouble(`no history is kept: ${(error as Error).message}`);
  }
}
