/**
 * Text of somebody else's, made fit for a terminal: whatever would steer it, reorder what stands around it, or not be
 * seen at all is spelled as JavaScript spells it (`\x1b`, `\u202e`). Everything else stays as it is.
 */

/**
 * Controls (C0, DEL, C1), format characters (marks of direction, joiners and spaces without width, tags), separators
 * of lines and paragraphs, halves of surrogate pairs, and what fonts leave out.
 */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]/gu;

/** The same but for line breaks and tabs. */
const HIDDEN_IN_LINES = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]/gu;

/** For what is to stand in one line: a name, a message. */
export function visible(text: string): string {
  return text.replace(HIDDEN, spelled);
}

/** For text of several lines: its line breaks and tabs stay. */
export function visibleLines(text: string): string {
  return text.replace(HIDDEN_IN_LINES, spelled);
}

function spelled(character: string): string {
  const code = character.codePointAt(0)!;
  const digits = code.toString(16);
  if (code < 0x100) return `\\x${digits.padStart(2, "0")}`;
  return code < 0x1_0000 ? `\\u${digits.padStart(4, "0")}` : `\\u{${digits}}`;
}
