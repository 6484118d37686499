/** What has changed since an earlier run, row by row. */

import type { ComparedRow, Comparison } from "@capos/bench";
import { formatChange } from "@capos/bench/quantity";
import type { Figure } from "../figure.js";
import { html } from "../html.js";
import type { DotLine, Role } from "../page/figure.js";

const PER_CENT = 100;
/** How far the axis reaches on both sides, as parts of one. */
const LEAST_REACH = 0.1;
const MOST_REACH = 1;
const KEY = html`<p class="key"><i class="slower"></i>slower <i class="faster"></i>faster <i class="baseline"></i>no difference</p>`;
const ROLES: Readonly<Record<ComparedRow["verdict"], Role>> = {
  faster: "faster",
  slower: "slower",
  "no difference": "baseline",
};

export function changesFigure({ rows, thresholdPercent }: Comparison): Figure {
  const threshold = thresholdPercent / PER_CENT;
  const furthest = Math.max(...rows.flatMap(({ lowPercent, highPercent }) => [-lowPercent, highPercent]));
  const lines = rows.map(lineOf);
  const common = {
    kind: "dots",
    axis: "change of the median",
    scale: { reach: Math.min(MOST_REACH, Math.max(LEAST_REACH, threshold, furthest / PER_CENT)) * 1.05 },
    marks: [-threshold, 0, threshold],
    widest: {
      label: longest(lines.map(({ label }) => label)),
      text: longest(lines.map(({ text }) => text)),
    },
  } as const;
  const suites = [...new Set(rows.map(({ suite }) => suite))];
  return {
    id: "changes",
    title: "Changes",
    caption:
      "How much longer (right) or shorter (left) each row takes than in the earlier run, with the interval that holds the true change in 95 of 100 " +
      "cases. Coloured rows differ significantly; of grey ones that cannot be said. The dotted lines are the threshold " +
      `of ${thresholdPercent} % beyond which a slowdown counts. What is beyond the axis is drawn at its end.`,
    layout: "single",
    // A panel for each suite, which a page of paper holds; all with the same axis.
    panels: suites.map((suite, i) => ({
      head: html`${i === 0 ? KEY : ""}<p class="key"><b>Suite ${suite}</b></p>`,
      description: rows
        .flatMap((row) => (row.suite === suite ? `${row.name}: ${row.verdict}` : []))
        .join(", "),
      plot: { ...common, lines: lines.filter((_, line) => rows[line].suite === suite) },
    })),
  };
}

function lineOf({ name, verdict, changePercent, lowPercent, highPercent }: ComparedRow): DotLine {
  return {
    label: name,
    role: ROLES[verdict],
    text: percent(changePercent),
    at: changePercent / PER_CENT,
    low: lowPercent / PER_CENT,
    high: highPercent / PER_CENT,
    first: false,
  };
}

function longest(texts: readonly string[]): string {
  return texts.reduce((most, text) => (text.length > most.length ? text : most), "");
}

/** As the terminal's table has it, but with a true minus sign. */
export function percent(value: number): string {
  return formatChange(value).replace("-", "−");
}
