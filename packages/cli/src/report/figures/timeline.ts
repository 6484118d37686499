/** The run as it went, so that a disturbance of the host is seen. */

import { BASELINE_SUITE, type BenchmarkDocument, CAPABILITY_SUITE, IPC_SUITE } from "@capos/bench";
import { type Figure, measuredRows } from "../figure.js";
import { html } from "../html.js";
import type { Role, TimelinePlot } from "../page/figure.js";

const ROLES: Readonly<Record<string, Role>> = {
  [IPC_SUITE]: "capos",
  [CAPABILITY_SUITE]: "second",
  [BASELINE_SUITE]: "baseline",
};

export function timelineFigure(document: BenchmarkDocument): Figure | undefined {
  const names = [...new Set([...measuredRows(document).values()].map(({ suite }) => suite))];
  if (names.length === 0) return undefined;
  const suites = names.map((name) => ({ name, role: ROLES[name] ?? ("third" as const) }));
  const all: TimelinePlot = { kind: "timeline", suites };
  return {
    id: "timeline",
    title: "The run over time",
    caption:
      "A dot is the median of a slice of successive samples, divided by the median of all samples of its row: on the 1× line the row was as " +
      "fast as usual. The line is the median of the rows of a moment. Where it rises, the host was busy with something else, and " +
      "the rows measured then are slower than they should be. Dots beyond the axis are drawn at its edge.",
    layout: "single",
    panels: [
      {
        head: html`<p class="key">${suites.map(({ name, role }) => html`<i class="${role}"></i>${name} `)}</p>`,
        description: "Each row's speed over the time of the run, relative to its median",
        plot: all,
        readout: true,
        ...(suites.length > 1 && {
          choices: [
            { group: "", name: "all suites", plot: all },
            ...suites.map((suite) => ({
              group: "",
              name: suite.name,
              plot: { kind: "timeline", suites: [suite] } as const,
            })),
          ],
        }),
      },
    ],
  };
}
