/** The host, the machine and the run, as facts under names. */

import { type BenchmarkDocument, disturbance, plural, rowsShortOfCpus } from "@capos/bench";
import { formatDuration, formatMoment } from "@capos/bench/quantity";
import { type Html, html } from "./html.js";

const NS_PER_MS = 1e6;

/** A definition list, and a warning where rows had to wait for the host's scheduler. */
export function renderFacts(document: BenchmarkDocument): Html {
  const { machine, run, results } = document;
  const took = (Date.parse(run.finished) - Date.parse(run.started)) * NS_PER_MS;
  const facts: readonly (readonly [string, string])[] = [
    ["Host", [...(run.cpu === "" ? [] : [run.cpu]), plural(machine.hostCpus, "hardware thread")].join(", ")],
    ["Host memory", memory(run.hostMemoryMiB)],
    ["System", `${run.platform} ${run.release}, ${run.arch}`],
    ["Node", `${machine.node} (V8 ${run.v8})`],
    ["capos", run.capos],
    ["Machine", `${plural(machine.cores, "core")}, ${memory(machine.memoryMiB)}`],
    ["Started", formatMoment(run.started)],
    ["Took", minutes(took)],
    [
      "Repetitions",
      `${run.repetitions}, each with ${Number((run.secondsPerRow * 1e3).toPrecision(3))} ms for a row`,
    ],
    ["Load at the start", run.loadAverage.map((load) => load.toFixed(2)).join(" · ")],
    ["Others' CPU", run.othersCpu === null ? "not told" : `${Math.round(100 * run.othersCpu)} %`],
  ];
  const short = rowsShortOfCpus(machine, results);
  return html`<dl class="facts">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
${
  short.length > 0 && machine.cores > machine.hostCpus
    ? html`<p class="warning"><b>${plural(machine.cores, "core")} share ${plural(machine.hostCpus, "hardware thread")}.</b>
These rows wait for the host’s scheduler too: ${short.join(", ")}.</p>`
    : ""
}`;
}

/** A warning that stands before all figures, where others had the host's CPUs too. */
export function renderDisturbance({ run }: BenchmarkDocument): Html {
  const disturbed = disturbance(run);
  if (disturbed === null) return html``;
  return html`<p class="warning"><b>Measured on a loaded host.</b> ${disturbed}</p>`;
}

function memory(mebibytes: number): string {
  if (mebibytes < 1024) return `${mebibytes} MiB`;
  return `${Number((mebibytes / 1024).toFixed(1))} GiB`;
}

function minutes(ns: number): string {
  const seconds = Math.round(ns / 1e9);
  return seconds < 60 ? formatDuration(ns) : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
