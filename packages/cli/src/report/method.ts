/** How the figures came about: what docs/benchmarks.md says at length. */

import { type Html, html } from "./html.js";

export const METHOD: Html = html`<p>A sample is the time of a batch of operations divided by its size, about 20&nbsp;µs or more a batch, so that reading the clock is a
small part of it. <b>Of operations below 20&nbsp;µs, p99 and max are therefore those of batches.</b> The loop’s own overhead is measured by an empty loop
of the same shape, and its median subtracted; a row is refused, with the reason in place of numbers, where that overhead is too
unstable for what is left to mean something. Each row warms up until its batch size is calibrated.</p>
<p>All suites are measured in turn, and that as often as there are repetitions: a host that drifts touches all rows alike. A row’s figures are over
the samples of all repetitions together; “±&nbsp;p50” is half the range of the medians of the single repetitions, as a part of the value in
the middle. A ratio is the median of slices of a few milliseconds in which a row and its baseline took turns, or else, where they did not, that
of the medians of the run: on a shared host compare rows of one run, not runs, unless by the significance test of <code>capos-smp bench --compare</code>.</p>
<p><code>min</code> is what the code can do, <code>p50</code> what it does; <code>p99</code> and <code>max</code> are mostly the host’s: a preempted worker shows up
there. Guests have no clock, so those of the benchmark hold the Debug capability; they are hardened and instrumented like any other, and
no check is off. What each row measures, and what it leaves out, is said row by row in <code>docs/benchmarks.md</code> of capos.</p>`;
