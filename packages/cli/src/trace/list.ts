/** The events that there are: for people, for programs, and for the documentation. */
import { visibleJson } from "@capos/abi";
import { LISTED_EVENTS } from "./selection.js";

/** Lists events, a line each unless told otherwise. */
export function listEvents({ json, markdown }: { json?: boolean; markdown?: boolean }): string {
  const events = LISTED_EVENTS.map(({ group, declaration }) => ({
    group,
    name: declaration.name,
    says: declaration.says,
    fields: declaration.fields.map(({ name, kind }) => ({ name, kind })),
    text: declaration.text === true,
  }));
  if (json === true) return `${visibleJson(events)}\n`;
  const rows = events.map(({ group, name, says, fields, text }) => [
    group,
    name,
    [...fields.map((field) => field.name), ...(text ? ["text"] : [])].join(", "),
    says,
  ]);
  if (markdown === true) {
    const lines = rows.map(
      ([group, name, fields, says]) => `| ${group} | \`${name}\` | ${fields} | ${says} |`,
    );
    return `${["| group | event | fields | what it says |", "|---|---|---|---|", ...lines].join("\n")}\n`;
  }
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}
