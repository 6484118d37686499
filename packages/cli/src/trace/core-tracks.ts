/**
 * A track a core: which guest runs, which trap the kernel performs, when the core is halted.
 *
 * From a trap on the core is the kernel's, until a guest goes on or the core halts: what it polls for work before a
 * halt counts as the kernel's too.
 */
import { RunsWord, TraceEvent } from "@capos/kernel/trace-events";
import type { TraceRecord } from "@capos/trace";
import type { Canvas, Span } from "./canvas.js";
import { operationName } from "./fields.js";
import type { Names } from "./names.js";

export class CoreTracks {
  readonly #open: (Span | null)[];

  constructor(
    private readonly canvas: Canvas,
    private readonly names: Names,
    private readonly cores: number,
  ) {
    this.#open = new Array<null>(cores + 1).fill(null);
    canvas.nameProcess(canvas.coresPid, "cores");
    for (let core = 0; core < cores; core++) canvas.nameThread(canvas.coresPid, core, `core ${core}`);
    canvas.nameThread(canvas.coresPid, cores, "chipset");
  }

  event({ ring, timeNs, event, fields }: TraceRecord): void {
    if (event === TraceEvent.TRAP_ENTER) this.#begin(ring, timeNs, operationName(fields[1]), "kernel");
    else if (event === TraceEvent.TRAP_LEAVE || event === TraceEvent.SWITCH)
      this.#begin(ring, timeNs, this.names.thread(fields[0]).name, "guest");
    else if (event === TraceEvent.PASS && fields[RunsWord.PASS - 1] === 1)
      this.#begin(ring, timeNs, this.names.thread(fields[2]).name, "guest");
    else if (event === TraceEvent.REPLY && fields[RunsWord.REPLY - 1] === 1)
      this.#begin(ring, timeNs, this.names.thread(fields[2]).name, "guest");
    else if (event === TraceEvent.HALT) this.#begin(ring, timeNs, "halted", "idle");
    else if (event === TraceEvent.WAKE) this.#begin(ring, timeNs, "wake", "kernel");
    else if (event === TraceEvent.CORE_BIRTH) this.#begin(ring, timeNs, "boot", "kernel");
  }

  /** What an event of a ring happens in; a slice without length where nothing else is. */
  spanAt(ring: number, timeNs: number, name: string): Span {
    const open = this.#open[ring];
    if (open !== null && open !== undefined) return open;
    const span = { startNs: timeNs, endNs: timeNs, name, category: "message" };
    this.canvas.slice(this.canvas.coresPid, ring, span, "");
    return span;
  }

  /** Ends all that lasts. */
  end(timeNs: number): void {
    for (let ring = 0; ring <= this.cores; ring++) this.#close(ring, timeNs);
  }

  #begin(ring: number, timeNs: number, name: string, category: string): void {
    this.#close(ring, timeNs);
    this.#open[ring] = { startNs: timeNs, endNs: Number.POSITIVE_INFINITY, name, category };
  }

  #close(ring: number, timeNs: number): void {
    const span = this.#open[ring];
    if (span === null || span === undefined) return;
    span.endNs = Math.max(span.startNs, timeNs);
    this.canvas.slice(this.canvas.coresPid, ring, span, "");
    this.#open[ring] = null;
  }
}
