/**
 * Who can reach whom in a system: programs, the endpoints that they provide, and who was given them. The services that each may
 * use are ends of arrows too.
 */
import type { System } from "./read.js";

export interface GraphNode {
  readonly id: string;
  readonly kind: "program" | "service";
  readonly label: string;
  /** What else there is to say of it, a line each. */
  readonly details: readonly string[];
}

export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  /** What it calls, and what it may do with that besides. */
  readonly label: string;
}

export interface SystemGraph {
  readonly file: string;
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

const SERVICES = ["names", "log", "console"] as const;

/** Makes the graph. A program can reach whom an arrow leads to, and whom those hand on to it. */
export function graphOf({ file, programs }: System): SystemGraph {
  const edges: GraphEdge[] = [];
  for (const { name, uses, names } of programs) {
    for (const { endpoint, rights } of uses) {
      const provider = programs.find(({ provides }) => provides.includes(endpoint))!;
      edges.push({ from: idOf(name), to: idOf(provider.name), label: [endpoint, ...rights].join(" + ") });
    }
    for (const service of SERVICES)
      if (service !== "names" || names) edges.push({ from: idOf(name), to: service, label: "" });
  }
  return {
    file,
    nodes: [
      ...programs.map(({ name, image, core, provides, restart, memory }) => ({
        ...{ id: idOf(name), kind: "program" as const, label: name },
        details: [
          image,
          ...(provides.length === 0 ? [] : [`provides ${provides.join(", ")}`]),
          `${restart}, ${core === null ? "any core" : `core ${core}`}, ${memory} bytes`,
        ],
      })),
      ...SERVICES.filter((service) => edges.some(({ to }) => to === service)).map((service) => ({
        ...{ id: service, kind: "service" as const, label: service, details: [] },
      })),
    ],
    edges,
  };
}

/** No program's is a service's. */
function idOf(program: string): string {
  return `program ${program}`;
}

/** The graph in the language of Graphviz. */
export function dotOf({ nodes, edges }: SystemGraph): string {
  const lines = [
    ...nodes.map(
      ({ id, kind, label, details }) =>
        `  ${quoted(id)} [label=${quoted([label, ...details].join("\n"))}, shape=${kind === "program" ? "box" : "ellipse"}];`,
    ),
    ...edges.map(({ from, to, label }) => `  ${quoted(from)} -> ${quoted(to)} [label=${quoted(label)}];`),
  ];
  return `digraph system {\n  rankdir=LR;\n${lines.join("\n")}\n}\n`;
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n")}"`;
}
