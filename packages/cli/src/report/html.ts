/** Text that is HTML already, and a template that escapes everything else. */
import { visibleJson, visibleLines } from "@capos/abi";

export class Html {
  constructor(readonly text: string) {}

  toString(): string {
    return this.text;
  }
}

type Part = Html | string | number | undefined | readonly Part[];

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Lists are joined, undefined is nothing, and what is not Html is text: shown, whatever it is, and obeyed by nobody. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(strings.map((string, i) => string + (i < parts.length ? textOf(parts[i]) : "")).join(""));
}

function textOf(part: Part): string {
  if (part === undefined) return "";
  if (part instanceof Html) return part.text;
  if (typeof part === "object") return part.map(textOf).join("");
  return visibleLines(String(part)).replace(/[&<>"']/g, (character) => ENTITIES[character]);
}

/** A value in a script element of JSON: nothing in it can end the element. */
export function embedded(id: string, value: unknown): Html {
  const json = visibleJson(value).replaceAll("<", "\\u003c");
  return new Html(`<script type="application/json" id="${id}">${json}</script>`);
}
