/**
 * What is typed at a shell, as commands and their words: `;` and line ends part commands, blanks words, `#` begins a remark.
 * Quotes keep blanks and `;`; a word that begins with `{` goes on to the brace that closes it, with what stands there as it is.
 */
import { UsageError } from "@capos/machine/errors";

interface Word {
  /** What it says. */
  readonly text: string;
  /** Where it stands: from its first character, up to that behind its last. */
  readonly from: number;
  readonly end: number;
  /** The quote or brace that is not closed; empty if all are. */
  readonly open: string;
}

/** @throws UsageError for a quote or a brace that is not closed */
export function parseScript(text: string): string[][] {
  return commandsIn(text)
    .filter((words) => words.length > 0)
    .map((words) =>
      words.map((word) => {
        if (word.open !== "") throw new UsageError(`a ${word.open} that is not closed`);
        return word.text;
      }),
    );
}

/** The command that is being typed at a text's end. */
export interface Begun {
  /** Its words before that which is being typed. */
  readonly words: readonly string[];
  /** That one as it stands there, with its quotes; empty behind a blank. */
  readonly last: string;
  /** What that one says. */
  readonly text: string;
}

/** What is being typed at a text's end. */
export function begunCommand(text: string): Begun {
  const words = commandsIn(text).at(-1)!;
  const last = words.at(-1)?.end === text.length ? words.pop() : undefined;
  return {
    words: words.map((word) => word.text),
    ...{ last: last === undefined ? "" : text.slice(last.from), text: last?.text ?? "" },
  };
}

/** A text as a word in quotes or without, as one is being typed. */
export function asWord(text: string, begun: string): string {
  const [quote] = begun;
  if (quote === "'" && !text.includes("'")) return `'${text}'`;
  if (quote === '"') return `"${text.replace(/["\\]/g, "\\$&")}"`;
  return text.replace(/[\s;"'\\]|^[#{]/g, "\\$&");
}

/** Each command's words; the last is that which the text ends in, though it may have none. */
function commandsIn(text: string): Word[][] {
  const commands: Word[][] = [[]];
  let at = 0;
  while (at < text.length) {
    const character = text[at]!;
    if (character === ";" || character === "\n") {
      commands.push([]);
      at++;
    } else if (/\s/.test(character)) at++;
    else if (character === "#") at = endOfLine(text, at);
    else {
      const word = character === "{" ? braced(text, at) : plain(text, at);
      commands.at(-1)!.push(word);
      at = word.end;
    }
  }
  return commands;
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}

/** A word of JSON. */
function braced(text: string, from: number): Word {
  let depth = 0;
  let isText = false;
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (isText) {
      if (character === "\\") at++;
      else if (character === '"') isText = false;
    } else if (character === '"') isText = true;
    else if (character === "{") depth++;
    else if (character === "}" && --depth === 0)
      return { text: text.slice(from, at + 1), from, end: at + 1, open: "" };
  }
  return { text: text.slice(from), from, end: text.length, open: "{" };
}

function plain(text: string, from: number): Word {
  let word = "";
  let quote = "";
  let at = from;
  for (; at < text.length; at++) {
    const character = text[at]!;
    if (quote === "" && /[\s;]/.test(character)) break;
    if (character === quote) quote = "";
    else if (quote === "" && (character === '"' || character === "'")) quote = character;
    else if (character === "\\" && quote !== "'" && at + 1 < text.length) word += text[++at];
    else word += character;
  }
  return { text: word, from, end: at, open: quote };
}
