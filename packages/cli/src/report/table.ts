/** All figures of a document, a table for each suite. */

import { type BenchmarkDocument, isRefused, operationOf, type Result, rowWords } from "@capos/bench";
import { formatCount, formatDuration } from "@capos/bench/quantity";
import { type Html, html } from "./html.js";

const HEADS = ["row", "per", "n", "min", "p50", "p90", "p99", "max", "mean", "ops/s", "± p50"] as const;

export function renderTables({ results }: BenchmarkDocument): Html {
  const suites = [...new Set(results.map(({ suite }) => suite))];
  return html`${suites.map((suite) =>
    renderTable(
      suite,
      results.filter((result) => result.suite === suite),
    ),
  )}`;
}

function renderTable(suite: string, rows: readonly Result[]): Html {
  return html`<h3>Suite ${suite}</h3>
<div class="scroll" tabindex="0" role="region" aria-label="Figures of suite ${suite}"><table>
<thead><tr>${HEADS.map((head, i) => html`<th scope="col"${i < 2 ? html` class="word"` : ""}>${head}</th>`)}</tr></thead>
<tbody>${rows.map(renderRow)}</tbody>
</table></div>
`;
}

function renderRow(row: Result): Html {
  const head = html`<th scope="row">${row.name}</th><td class="word">${operationOf(row)}</td>`;
  const notes = row.notes ?? [];
  if (isRefused(row)) {
    return html`<tr>${head}<td class="refused" colspan="${HEADS.length - 2}">refused: ${row.refused}</td></tr>
${remark(notes)}`;
  }
  const figures = [
    row.n.toLocaleString("en-US"),
    ...[row.min, row.p50, row.p90, row.p99, row.max, row.mean].map(formatDuration),
    formatCount(row.opsPerSecond),
    spreadOf(row.trials),
  ];
  return html`<tr>${head}${figures.map((figure, i) => html`<td${i === 2 ? html` class="median"` : ""}>${figure}</td>`)}</tr>
${remark([...rowWords(row).map((words) => words.join(" · ")), ...notes])}`;
}

function remark(lines: readonly string[]): Html {
  const texts = lines.filter((line) => line !== "");
  if (texts.length === 0) return html``;
  return html`<tr class="remark"><td colspan="${HEADS.length}"><span>${texts.join(" · ")}</span></td></tr>`;
}

/** Half the range of the repetitions' medians, as a part of what is in the middle of it. */
function spreadOf(trials: readonly number[]): string {
  if (trials.length < 2) return "";
  const low = Math.min(...trials);
  const high = Math.max(...trials);
  return `${((100 * (high - low)) / (high + low)).toFixed(1)} %`;
}
