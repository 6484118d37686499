/** Completion within the JSON of a call: the fields of its method, one after the other, as far as their values are typed. */

/** What goes on from the cursor: possible ends of what is being typed, and what of it they replace. */
export type Completion = [string[], string];

const NOTHING: Completion = [[], ""];

/**
 * What may come next.
 * @param begun the word up to the cursor; it begins with `{`
 * @param rest what stands behind the cursor
 * @param fields the names of all, in their order
 */
export function completeFields(begun: string, rest: string, fields: readonly string[]): Completion {
  const { place, partial, named } = scan(begun);
  const isLast = /^\s*(?:\}|$)/.test(rest);
  const others = [...rest.matchAll(/"((?:[^"\\]|\\.)*)"\s*:/g)].map(([, name]) => name!);
  const missing = fields.filter((name) => !named.includes(name) && !others.includes(name));
  if (place === "key" && partial !== "") return [missing.map(keyOf), partial];
  // What stands behind the cursor would have to be parted from what is put there.
  if (!isLast) return NOTHING;
  const [next] = missing;
  const close = rest.includes("}") ? [] : ["}"];
  if (place === "key") {
    if (next !== undefined) return [[begun.endsWith(",") ? ` ${keyOf(next)}` : keyOf(next)], ""];
    return named.length === 0 ? [close, ""] : NOTHING;
  }
  if (place === "colon") return [[": "], ""];
  if (place === "end" && isWhole(begun)) return [next === undefined ? close : [`, ${keyOf(next)}`], ""];
  return NOTHING;
}

function keyOf(name: string): string {
  return `${JSON.stringify(name)}: `;
}

/** Whether a value is typed to its end: `12` may be one, `tru` is none. */
function isWhole(begun: string): boolean {
  try {
    JSON.parse(`${begun}}`);
    return true;
  } catch {
    return false;
  }
}

interface Scanned {
  /** Where the text ends: before or within a field's name, behind that, before or within its value, behind that. */
  readonly place: "key" | "colon" | "value" | "end";
  /** What there is of a field's name, with its quote. */
  readonly partial: string;
  readonly named: readonly string[];
}

/** Reads an object that is not closed. */
function scan(text: string): Scanned {
  const named: string[] = [];
  let place: Scanned["place"] = "key";
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (character === '"') {
      const end = endOfText(text, at);
      if (end < 0) return { place, partial: place === "key" ? text.slice(at) : "", named };
      if (depth === 1 && place === "key") {
        named.push(text.slice(at + 1, end));
        place = "colon";
      } else if (depth === 1) place = "end";
      at = end;
    } else if (character === "{" || character === "[") depth++;
    else if (character === "}" || character === "]") {
      depth--;
      place = "end";
    } else if (depth === 1) {
      if (character === ":") place = "value";
      else if (character === ",") place = "key";
      else if (place === "value" && character.trim() !== "") place = "end";
    }
  }
  return { place: depth === 1 ? place : "value", partial: "", named };
}

/** Where the quote stands that closes one; less than 0 if none does. */
function endOfText(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === '"') return at;
  }
  return -1;
}
