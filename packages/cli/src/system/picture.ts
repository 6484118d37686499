/** A system's graph as one page: a drawing that needs nothing from anywhere. */
import { Graph, layout } from "@dagrejs/dagre";
import { type Html, html } from "../report/html.js";
import type { GraphNode, SystemGraph } from "./graph.js";

const CHARACTER = 7.3;
const LINE = 17;
const PADDING = 12;
const MARGIN = 24;

const STYLE = `
:root { color-scheme: light dark; --ink: #1d2330; --paper: #fdfdfb; --soft: #6a7385; --box: #eef2fa; --service: #f1efe6; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaf0; --paper: #15181f; --soft: #9aa3b5; --box: #222a3a; --service: #2c2a22; } }
body { margin: 2rem; background: var(--paper); color: var(--ink); font: 15px/1.4 system-ui, sans-serif; }
svg { max-width: 100%; height: auto; font: 12px ui-monospace, monospace; }
rect { fill: var(--box); stroke: var(--soft); } .service rect { fill: var(--service); }
text { fill: var(--ink); } .detail, .label { fill: var(--soft); } .name { font-weight: bold; }
path { fill: none; stroke: var(--soft); } marker path { fill: var(--soft); }
.label { paint-order: stroke; stroke: var(--paper); stroke-width: 4px; }
`;

/** Draws the graph. */
export function pictureOf(graph: SystemGraph): string {
  const drawn = new Graph({ multigraph: true });
  drawn.setGraph({ rankdir: "LR", nodesep: 28, ranksep: 90, marginx: MARGIN, marginy: MARGIN });
  drawn.setDefaultEdgeLabel(() => ({}));
  for (const node of graph.nodes) drawn.setNode(node.id, sizeOf(node));
  for (const [i, { from, to, label }] of graph.edges.entries())
    drawn.setEdge(from, to, { width: label.length * CHARACTER, height: LINE, labelpos: "c" }, `${i}`);
  layout(drawn);
  const { width = 0, height = 0 } = drawn.graph() as { width?: number; height?: number };
  const arrows = graph.edges.map(({ from, to, label }, i) => {
    const { points, x, y } = drawn.edge(from, to, `${i}`) as {
      points: readonly { x: number; y: number }[];
      x?: number;
      y?: number;
    };
    const way = points
      .map((point, at) => `${at === 0 ? "M" : "L"}${point.x.toFixed(1)} ${point.y.toFixed(1)}`)
      .join(" ");
    const name =
      label === ""
        ? undefined
        : html`<text class="label" text-anchor="middle" x="${x ?? 0}" y="${(y ?? 0) + 4}">${label}</text>`;
    return html`<path d="${way}" marker-end="url(#head)"/>${name}`;
  });
  const boxes = graph.nodes.map((node) => boxOf(node, drawn.node(node.id) as { x: number; y: number }));
  return html`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${graph.file}</title><style>${STYLE}</style>
<h1>${graph.file}</h1>
<p>A program can call whom an arrow leads to, and nobody else, unless those hand on to it what they have.</p>
<svg role="img" aria-label="who can reach whom" width="${Math.ceil(width)}" height="${Math.ceil(height)}" viewBox="0 0 ${Math.ceil(width)} ${Math.ceil(height)}">
<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0 L10 5 L0 10 z"/></marker></defs>
${arrows}
${boxes}
</svg>
</html>
`.text;
}

function sizeOf({ label, details }: GraphNode): { width: number; height: number } {
  const longest = Math.max(...[label, ...details].map((line) => line.length));
  return { width: longest * CHARACTER + 2 * PADDING, height: (1 + details.length) * LINE + PADDING };
}

function boxOf(node: GraphNode, { x, y }: { x: number; y: number }): Html {
  const { width, height } = sizeOf(node);
  const left = x - width / 2;
  const top = y - height / 2;
  const lines = [node.label, ...node.details].map(
    (line, i) =>
      html`<text class="${i === 0 ? "name" : "detail"}" x="${left + PADDING}" y="${top + PADDING / 2 + (i + 0.75) * LINE}">${line}</text>`,
  );
  return html`<g class="${node.kind}"><rect rx="6" x="${left}" y="${top}" width="${width}" height="${height}"/>${lines}</g>
`;
}
