/**
 * A benchmark's document as one HTML page that needs nothing else: text and tables are in it as they are, plots
 * are drawn from the data in it. Its policy forbids it to load anything, from anywhere.
 */

import { createHash } from "node:crypto";
import { visibleJson } from "@capos/abi";
import type { BenchmarkDocument, Comparison } from "@capos/bench";
import { readAssets } from "./assets.js";
import { renderComparisonHead, renderComparisonTable } from "./comparison.js";
import { renderFacts } from "./facts.js";
import type { Figure, Panel } from "./figure.js";
import { baselinesFigure } from "./figures/baselines.js";
import { changesFigure } from "./figures/changes.js";
import { distributionsFigure } from "./figures/distributions.js";
import { revokeFigure } from "./figures/revoke.js";
import { scalingFigure } from "./figures/scaling.js";
import { timelineFigure } from "./figures/timeline.js";
import { renderHeadline } from "./headline.js";
import { embedded, Html, html } from "./html.js";
import { METHOD } from "./method.js";
import type { Plots } from "./page/figure.js";
import { renderTables } from "./table.js";

/**
 * The page as text.
 * @param comparison of the document with an earlier one
 */
export function renderReport(document: BenchmarkDocument, comparison?: Comparison): string {
  const { script, style } = readAssets();
  const figures = [
    baselinesFigure(document),
    distributionsFigure(document),
    scalingFigure(document),
    revokeFigure(document),
    timelineFigure(document),
  ].filter((figure) => figure !== undefined);
  const changes = comparison && changesFigure(comparison);
  const plots: Plots = Object.fromEntries(
    [...figures, ...(changes === undefined ? [] : [changes])].flatMap((figure) =>
      figure.panels.map((panel, i) => [plotId(figure, i), panel.plot]),
    ),
  );
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="capos ${document.run.capos}">
<link rel="icon" href="data:,">
<title>capos benchmark, ${document.run.started.slice(0, 10)}</title>
<style>${new Html(style)}</style>
</head>
<body>
<main>
<header>
<h1>capos benchmark</h1>
<p class="lead">A capability microkernel on ${document.machine.cores} simulated cores, beside what its host offers: times per operation, medians unless it says otherwise.</p>
</header>
${renderHeadline(document)}
<h2 id="run">Host and run</h2>
${renderFacts(document)}
<h2 id="figures">Figures</h2>
<noscript><p class="warning">The plots are drawn by a script in this page. All their figures are in the tables below.</p></noscript>
${figures.map((figure, i) => renderFigure(figure, i + 1))}
${
  comparison &&
  html`<h2 id="since">Since the earlier run</h2>
${renderComparisonHead(comparison)}
${changes && renderFigure(changes, figures.length + 1)}
${renderComparisonTable(comparison)}`
}
<h2 id="tables">All figures</h2>
<p>Times per operation; n is the number of samples, “± p50” how far the medians of the repetitions lie apart.</p>
${renderTables(document)}
<h2 id="method">Method</h2>
${METHOD}
</main>
${embedded("document", document)}
${embedded("plots", plots)}
<script>${new Html(script)}</script>
</body>
</html>
`;
  return page.text;
}

function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

function plotId(figure: Figure, panel: number): string {
  return `${figure.id}-${panel + 1}`;
}

function renderFigure(figure: Figure, number: number): Html {
  return html`<figure id="${figure.id}" class="${figure.layout}">
<div class="panels">${figure.panels.map((panel, i) => renderPanel(panel, plotId(figure, i)))}</div>
<figcaption><b class="title">Figure ${number}: ${figure.title}.</b> ${figure.caption}</figcaption>
</figure>
`;
}

function renderPanel(panel: Panel, id: string): Html {
  const { head, description, choices, readout } = panel;
  return html`<div class="panel">
<div class="head">${head}${choices && renderChoices(panel, id)}${readout === true ? html`<output class="readout" for="${id}"></output>` : ""}</div>
<div class="plot" id="${id}" role="img" aria-label="${description}"></div>
</div>`;
}

function renderChoices({ choices = [], plot }: Panel, id: string): Html {
  const groups = [...new Set(choices.map(({ group }) => group))];
  const shown = visibleJson(plot);
  const optionsOf = (group: string) =>
    choices
      .filter((choice) => choice.group === group)
      .map(({ name, plot }) => {
        const value = visibleJson(plot);
        return html`<option value="${value}"${value === shown ? html` selected` : ""}>${name}</option>`;
      });
  return html`<label class="key">Show <select data-plot="${id}" autocomplete="off">${groups.map((group) =>
    group === "" ? optionsOf(group) : html`<optgroup label="${group}">${optionsOf(group)}</optgroup>`,
  )}</select></label>`;
}
