/** What a comparison says beside its figure: of what, with what doubts, and its own table. */

import type { ComparedRow, Comparison } from "@capos/bench";
import { formatDuration, formatMoment } from "@capos/bench/quantity";
import { percent } from "./figures/changes.js";
import { type Html, html } from "./html.js";

const HEADS = ["row", "then", "now", "change", "95 % interval", "p", "verdict", "relative to"] as const;
const LEAST_P = 0.001;

/** Which run it is compared with, and what is to be minded. */
export function renderComparisonHead({ before, warnings, uncompared, rows }: Comparison): Html {
  const count = (wanted: ComparedRow["verdict"]) => rows.filter(({ verdict }) => verdict === wanted).length;
  return html`<p>The earlier run is of ${formatMoment(before.run.started)}, capos ${before.run.capos}. Of ${rows.length} rows that both
have, <b>${count("slower")} are slower, ${count("faster")} faster</b>, and of ${count("no difference")} no difference can be told.</p>
${warnings.length > 0 ? html`<p class="warning">${warnings.join(" ")}</p>` : ""}
${uncompared.length > 0 ? html`<p>Not compared: ${uncompared.map(({ name, why }) => `${name} (${why})`).join(", ")}.</p>` : ""}`;
}

export function renderComparisonTable({ rows }: Comparison): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Changes of all rows"><table>
<thead><tr>${HEADS.map((head, i) => html`<th scope="col"${i > 5 ? html` class="word"` : ""}>${head}</th>`)}</tr></thead>
<tbody>${rows.map(renderRow)}</tbody>
</table></div>
<p class="note">Then and now are the medians of the repetitions’ medians. Where it is said, the change is that of the ratio to
a baseline of the same repetition, so that a host that drifts does not count; else that of the time. p is of a two-sided rank-sum test, adjusted for the number of rows.</p>`;
}

function renderRow(row: ComparedRow): Html {
  const { name, before, after, changePercent, lowPercent, highPercent, p, verdict, relativeTo } = row;
  return html`<tr><th scope="row">${name}</th><td>${formatDuration(before)}</td><td>${formatDuration(after)}</td>
<td class="median">${percent(changePercent)}</td><td>${percent(lowPercent)} to ${percent(highPercent)}</td>
<td>${p < LEAST_P ? `< ${LEAST_P}` : p.toFixed(3)}</td><td class="word">${verdict}</td><td class="word">${relativeTo ?? "–"}</td></tr>
`;
}
