/** Lengths of run queues, lines in the rings between cores, and grace periods that cores have not passed yet. */
import { TraceEvent } from "@capos/kernel/trace-events";
import type { TraceRecord } from "@capos/trace";
import type { Canvas } from "./canvas.js";

/** Positions in rings are counted modulo this. */
const POSITIONS = 2 ** 30;

export class Counters {
  readonly #shown = new Map<string, number>();
  /** By sender times cores plus receiver: lines ever pushed and popped. */
  readonly #pushed: number[];
  readonly #popped: number[];
  #asked = 0;
  readonly #passed: number[];
  readonly #halted: boolean[];

  constructor(
    private readonly canvas: Canvas,
    private readonly cores: number,
  ) {
    this.#pushed = new Array<number>(cores * cores).fill(-1);
    this.#popped = new Array<number>(cores * cores).fill(-1);
    this.#passed = new Array<number>(cores).fill(-1);
    this.#halted = new Array<boolean>(cores).fill(false);
  }

  event({ ring, timeNs, event, fields }: TraceRecord): void {
    if (ring >= this.cores) return;
    switch (event) {
      case TraceEvent.SWITCH:
      case TraceEvent.READY:
        this.#show(timeNs, `core ${ring} run queue`, "threads", fields[2]);
        break;
      case TraceEvent.RING_PUSH:
        this.#ring(timeNs, ring, fields[0], this.#pushed, fields[3]);
        break;
      case TraceEvent.RING_POP:
        this.#ring(timeNs, fields[0], ring, this.#popped, fields[3]);
        break;
      case TraceEvent.GRACE_ASK:
        this.#asked = Math.max(this.#asked, fields[0]);
        for (let core = 0; core < this.cores; core++) if (!this.#halted[core]) this.#grace(timeNs, core);
        break;
      case TraceEvent.GRACE_PASS:
        this.#passed[ring] = fields[0];
        this.#grace(timeNs, ring);
        break;
      case TraceEvent.HALT:
        // Whoever asks counts it as passed.
        this.#halted[ring] = true;
        this.#passed[ring] = this.#asked;
        this.#grace(timeNs, ring);
        break;
      case TraceEvent.WAKE:
        this.#halted[ring] = false;
        this.#passed[ring] = this.#asked;
        break;
    }
  }

  #ring(timeNs: number, from: number, to: number, ends: number[], position: number): void {
    if (from >= this.cores || to >= this.cores) return;
    const pair = from * this.cores + to;
    ends[pair] = position + 1;
    if (this.#pushed[pair] === -1) this.#pushed[pair] = position + 1;
    if (this.#popped[pair] === -1) this.#popped[pair] = position;
    const depth = (this.#pushed[pair] - this.#popped[pair] + POSITIONS) % POSITIONS;
    // By estimated times a line may seem to be popped before it was pushed.
    this.#show(timeNs, `ring ${from} → ${to}`, "lines", depth > POSITIONS / 2 ? 0 : depth);
  }

  #grace(timeNs: number, core: number): void {
    const passed = this.#passed[core] === -1 ? this.#asked - 1 : this.#passed[core];
    this.#show(timeNs, `core ${core} grace periods owed`, "periods", Math.max(0, this.#asked - passed));
  }

  #show(timeNs: number, name: string, series: string, value: number): void {
    if (this.#shown.get(name) === value) return;
    this.#shown.set(name, value);
    this.canvas.counter(timeNs, name, series, value);
  }
}
