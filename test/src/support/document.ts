/** What a page of the documents shows: blocks of code, those that are files, and sessions of commands with what they print. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./cli-process.js";

/** A fenced block. */
export interface Block {
  readonly language: string;
  /** What stands behind `file=` in its first line: the file that it shows. */
  readonly file: string | null;
  readonly text: string;
}

/** A command of a session, and what it printed. */
export interface Command {
  readonly line: string;
  readonly output: string;
}

const FENCE = /^```(\S+)(?: file=(\S+))?\n(.*?)^```$/gms;

/** The pages of the documents, as paths from the root. */
export function pages(): string[] {
  return [
    "README.md",
    ...readdirSync(join(ROOT, "docs"))
      .filter((name) => name.endsWith(".md"))
      .map((name) => `docs/${name}`),
  ];
}

/** The text of a page. */
export function readPage(page: string): string {
  return readFileSync(join(ROOT, page), "utf8");
}

/** The blocks of a page, in their order. */
export function blocksOf(page: string): Block[] {
  return [...readPage(page).matchAll(FENCE)].map(([, language, file, text]) => ({
    language: language!,
    file: file ?? null,
    text: text!,
  }));
}

/** The commands of a session (a `console` block): what stands behind `$ `, and the lines up to the next. */
export function commandsOf(session: string): Command[] {
  return session
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const end = part.indexOf("\n");
      return { line: part.slice(0, end), output: part.slice(end + 1) };
    });
}
