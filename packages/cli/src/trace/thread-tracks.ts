/** A track a thread: when it runs, and in which trap it is meanwhile; blocked, on what; ready, until it runs. */
import { errorName, isCall, Trap } from "@capos/abi";
import { RunsWord, TraceEvent } from "@capos/kernel/trace-events";
import type { TraceRecord } from "@capos/trace";
import type { Canvas } from "./canvas.js";
import { operationName } from "./fields.js";
import type { Names } from "./names.js";

interface ThreadTrack {
  readonly pid: number;
  readonly tid: number;
  /** Since when it runs, or is in its trap; NaN where that is unknown. */
  runsNs: number;
  trapNs: number;
  trap: number;
  /** Whether somebody else may have run meanwhile. */
  waited: boolean;
  /** When it could go on. */
  readyNs: number;
  /** What it waits for; an endpoint may get its name only when a message from it has arrived. */
  on: string;
  endpoint: number;
}

/** Above all numbers of threads: of tracks of threads whose number was another's before. */
const NUMBERS = 16_384;

export class ThreadTracks {
  readonly #tracks = new Map<number, ThreadTrack>();
  readonly #used = new Map<string, number>();
  readonly #named = new Set<number>();
  /** Who ran last, by core. */
  readonly #running = new Map<number, ThreadTrack>();

  constructor(
    private readonly canvas: Canvas,
    private readonly names: Names,
  ) {}

  event({ ring, timeNs, event, fields }: TraceRecord): void {
    switch (event) {
      case TraceEvent.TRAP_LEAVE:
      case TraceEvent.SWITCH:
        this.#goOn(ring, fields[0], timeNs, fields[1], event === TraceEvent.SWITCH);
        break;
      case TraceEvent.TRAP_ENTER:
        this.#trap(fields[0], timeNs, fields[1]);
        break;
      case TraceEvent.READY:
        this.#ready(fields[0], timeNs);
        break;
      case TraceEvent.SEND:
        this.#of(fields[1]).endpoint = fields[2];
        if (isCall(fields[3])) this.#of(fields[1]).waited = true;
        break;
      case TraceEvent.QUEUE:
        this.#of(fields[1]).waited = true;
        break;
      case TraceEvent.PASS:
        this.#of(fields[1]).on = this.names.thread(fields[2]).name;
        if (fields[RunsWord.PASS - 1] === 1)
          this.#goOn(ring, fields[2], timeNs, (fields[4] >> 8) & 0xff, true);
        break;
      case TraceEvent.REPLY:
        if (fields[RunsWord.REPLY - 1] === 1) this.#goOn(ring, fields[2], timeNs, fields[3], true);
        break;
      case TraceEvent.RING_FULL:
        this.#waitsOn(fields[0], `room in the ring to core ${fields[1]}`);
        break;
      case TraceEvent.GRACE_WAIT:
        this.#waitsOn(fields[0], `grace period ${fields[1]}`);
        break;
      case TraceEvent.THREAD_BIRTH:
        this.#tracks.delete(fields[0]);
        break;
      case TraceEvent.THREAD_DEATH:
        this.#close(this.#tracks.get(fields[0]), timeNs);
        this.#tracks.delete(fields[0]);
        break;
    }
  }

  /** Ends all that lasts. */
  end(timeNs: number): void {
    for (const track of this.#tracks.values()) this.#close(track, timeNs);
  }

  #of(number: number): ThreadTrack {
    let track = this.#tracks.get(number);
    if (track === undefined) {
      track = this.#make(number);
      this.#tracks.set(number, track);
    }
    return track;
  }

  #make(number: number): ThreadTrack {
    const { process, name } = this.names.thread(number);
    const pid = this.canvas.processPid(process);
    const before = this.#used.get(`${pid} ${number}`) ?? 0;
    const tid = number + before * NUMBERS;
    this.#used.set(`${pid} ${number}`, before + 1);
    if (!this.#named.has(pid)) {
      this.#named.add(pid);
      this.canvas.nameProcess(pid, this.names.process(process));
    }
    this.canvas.nameThread(pid, tid, `${name} (thread ${number})`);
    return {
      pid,
      tid,
      runsNs: Number.NaN,
      trapNs: Number.NaN,
      trap: 0,
      waited: false,
      readyNs: Number.NaN,
      on: "",
      endpoint: 0,
    };
  }

  #goOn(core: number, number: number, timeNs: number, result: number, isSwitch: boolean): void {
    const track = this.#of(number);
    // Who was to go on at once may have been put off by something more urgent.
    const before = this.#running.get(core);
    if (before !== undefined && before !== track) this.#endRun(before, timeNs);
    this.#running.set(core, track);
    if (isSwitch) track.waited = true;
    this.#endTrap(track, timeNs, result);
    track.runsNs = timeNs;
  }

  #trap(number: number, timeNs: number, trap: number): void {
    const track = this.#of(number);
    this.#endRun(track, timeNs);
    track.trapNs = timeNs;
    track.trap = trap;
    track.waited = false;
    track.readyNs = Number.NaN;
    track.on = "";
    track.endpoint = 0;
  }

  #ready(number: number, timeNs: number): void {
    const track = this.#of(number);
    track.waited = true;
    track.readyNs = timeNs;
  }

  #waitsOn(number: number, what: string): void {
    const track = this.#of(number);
    track.on = what;
    track.waited = true;
  }

  #close(track: ThreadTrack | undefined, timeNs: number): void {
    if (track === undefined) return;
    this.#endRun(track, timeNs);
    this.#endTrap(track, timeNs, null);
  }

  #endRun(track: ThreadTrack, timeNs: number): void {
    if (Number.isNaN(track.runsNs)) return;
    const span = {
      startNs: track.runsNs,
      endNs: Math.max(track.runsNs, timeNs),
      name: "runs",
      category: "guest",
    };
    this.canvas.slice(track.pid, track.tid, span, "");
    track.runsNs = Number.NaN;
  }

  /** @param result what the trap answers, null if it does not */
  #endTrap(track: ThreadTrack, timeNs: number, result: number | null): void {
    if (Number.isNaN(track.trapNs)) return;
    const { pid, tid, trapNs, readyNs } = track;
    const endNs = Math.max(trapNs, timeNs);
    const args = result === null ? "" : `{"result":${result < 0 ? `"${errorName(result)}"` : result}}`;
    const category = track.waited ? "blocked" : "kernel";
    this.canvas.slice(pid, tid, { startNs: trapNs, endNs, name: this.#nameOf(track), category }, args);
    if (readyNs >= trapNs && readyNs < endNs)
      this.canvas.slice(pid, tid, { startNs: readyNs, endNs, name: "ready", category: "ready" }, "");
    track.trapNs = Number.NaN;
  }

  #nameOf({ trap, waited, on, endpoint }: ThreadTrack): string {
    const operation = trap & 0xff;
    const name = operationName(trap);
    if (trap >= 0 && (operation === Trap.PREEMPTED || operation === Trap.YIELD)) return name;
    const what = on === "" && endpoint !== 0 ? this.names.endpoint(endpoint) : on;
    return `${waited ? "blocked: " : ""}${name}${what === "" ? "" : `: ${what}`}`;
  }
}
