/**
 * What is typed at a shell, as commands and their words: `;` and line ends part commands, blanks words, `#` begins a remark.
 * Quotes keep blanks and `;`; a word that begins with `{` goes on to the brace that closes it, with what stands there as it is.
 */
import { UsageError } from "@capos/machine/errors";

/** @throws UsageError for a quote or a brace that is not closed */
export function parseScript(text: string): string[][] {
  const commands: string[][] = [];
  let words: string[] = [];
  let at = 0;
  while (at < text.length) {
    const character = text[at]!;
    if (character === ";" || character === "\n") {
      if (words.length > 0) commands.push(words);
      words = [];
      at++;
    } else if (/\s/.test(character)) at++;
    else if (character === "#") at = endOfLine(text, at);
    else {
      const [word, end] = character === "{" ? braced(text, at) : plain(text, at);
      words.push(word);
      at = end;
    }
  }
  if (words.length > 0) commands.push(words);
  return commands;
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}

/** A word of JSON, and where it ends. */
function braced(text: string, from: number): [string, number] {
  let depth = 0;
  let isText = false;
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (isText) {
      if (character === "\\") at++;
      else if (character === '"') isText = false;
    } else if (character === '"') isText = true;
    else if (character === "{") depth++;
    else if (character === "}" && --depth === 0) return [text.slice(from, at + 1), at + 1];
  }
  throw new UsageError("a { that is not closed");
}

function plain(text: string, from: number): [string, number] {
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
  if (quote !== "") throw new UsageError(`a ${quote} that is not closed`);
  return [word, at];
}
