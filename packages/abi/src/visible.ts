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

/** A value of texts, numbers, lists and plain objects, each of its texts fit for one line; keys too. */
export function visibleTexts<T>(value: T): T {
  return withVisibleTexts(value) as T;
}

function withVisibleTexts(value: unknown): unknown {
  if (typeof value === "string") return visible(value);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(withVisibleTexts);
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [visible(key), withVisibleTexts(item)]),
  );
}

/** A value as JSON in one line that is fit for a terminal, and reads back as it would without. */
export function visibleJson(value: unknown): string {
  // Outside of its texts JSON has none of these.
  return JSON.stringify(value).replace(HIDDEN, (character) => character.replace(/./gs, spelledInJson));
}

/** One half of a surrogate pair, or a whole character: JSON knows no more than four digits. */
function spelledInJson(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function spelled(character: string): string {
  const code = character.codePointAt(0)!;
  const digits = code.toString(16);
  if (code < 0x100) return `\\x${digits.padStart(2, "0")}`;
  return code < 0x1_0000 ? `\\u${digits.padStart(4, "0")}` : `\\u{${digits}}`;
}
