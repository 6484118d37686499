/** The figures that a reader looks for first, with what they are compared with. */

import { type BenchmarkDocument, comparedWith } from "@capos/bench";
import { formatDuration, formatRatio } from "@capos/bench/quantity";
import { measuredRows } from "./figure.js";
import { type Html, html } from "./html.js";

const HEADLINES = [
  ["call.same-core", "call and reply on one core"],
  ["call.cross-core", "call and reply between cores"],
  ["revoke.by-descendants.1000", "revoke of 1,000 descendants"],
  ["process.create-kill", "whole life of a process"],
] as const;
const MOST_RATIOS = 2;

/** Nothing if none of these rows was measured. */
export function renderHeadline(document: BenchmarkDocument): Html {
  const rows = measuredRows(document);
  const tiles = HEADLINES.flatMap(([name, what]) => {
    const row = rows.get(name);
    if (row === undefined) return [];
    const ratios = comparedWith(name)
      .filter((other) => row.ratios[other] !== undefined)
      .slice(0, MOST_RATIOS)
      .map((other) => formatRatio(row.ratios[other], other));
    if (row.perDescendantNs !== undefined)
      ratios.splice(0, MOST_RATIOS, `${formatDuration(row.perDescendantNs)} a descendant`);
    return [
      html`<div><dt>${what}</dt><dd><b>${formatDuration(row.p50)}</b>${ratios.map((ratio) => html`<span>${ratio}</span>`)}</dd></div>`,
    ];
  });
  return tiles.length === 0 ? html`` : html`<dl class="headline">${tiles}</dl>`;
}
