/** Where and when a run was made: what a reader must know before comparing it with another. */
import { arch, cpus, loadavg, platform, release, totalmem } from "node:os";

export interface RunFacts {
  /** ISO 8601, as is `finished`. */
  readonly started: string;
  readonly finished: string;
  /** Time budget of a row in one repetition. */
  readonly secondsPerRow: number;
  /** How often all rows were measured. */
  readonly repetitions: number;
  /** Version of capos. */
  readonly capos: string;
  /** What the host calls its first CPU; empty where it does not tell. */
  readonly cpu: string;
  /** As Node calls them: "linux", "x64". */
  readonly platform: string;
  readonly arch: string;
  /** Of the host's kernel. */
  readonly release: string;
  readonly v8: string;
  readonly hostMemoryMiB: number;
  /** Over 1, 5 and 15 minutes, when the run started. */
  readonly loadAverage: readonly [number, number, number];
  /** Share of the host's CPUs that other processes had while the run was made, 0 to 1; null where the host does not tell. */
  readonly othersCpu: number | null;
}

/** From this share on others have disturbed the run. */
const DISTURBING = 0.1;

/** What a reader must know of a run that others have disturbed, as one sentence; null of a quiet one. */
export function disturbance({ othersCpu }: Pick<RunFacts, "othersCpu">): string | null {
  if (othersCpu === null || othersCpu < DISTURBING) return null;
  return `Other processes had ${Math.round(100 * othersCpu)} % of the host's CPUs while this was measured: times are longer than the host's own, and differ from run to run.`;
}

/** Measures what other processes have of the host's CPUs, from when it is made. */
export class OthersMeter {
  readonly #host = hostMs();
  readonly #own = process.cpuUsage();

  /** Their share since then; null where the host does not tell, or not yet. */
  share(): number | null {
    const { user, system } = process.cpuUsage(this.#own);
    const now = hostMs();
    const all = now.all - this.#host.all;
    if (!(all > 0)) return null;
    const others = now.busy - this.#host.busy - (user + system) / 1000;
    return Math.min(1, Math.max(0, others / all));
  }
}

/** Milliseconds that the host's CPUs have been busy, and all that there were. */
function hostMs(): { busy: number; all: number } {
  let [busy, all] = [0, 0];
  for (const { times } of cpus()) {
    const { user, nice, sys, irq, idle } = times;
    busy += user + nice + sys + irq;
    all += user + nice + sys + irq + idle;
  }
  return { busy, all };
}

/** What is known when a run starts. */
export type HostFacts = Omit<RunFacts, "othersCpu" | "finished" | "secondsPerRow" | "repetitions">;

/** This host, now. */
export function describeHost(capos: string): HostFacts {
  const [one = 0, five = 0, fifteen = 0] = loadavg();
  return {
    started: new Date().toISOString(),
    capos,
    cpu: cpus()[0]?.model.trim() ?? "",
    platform: platform(),
    arch: arch(),
    release: release(),
    v8: process.versions.v8,
    hostMemoryMiB: Math.round(totalmem() / 2 ** 20),
    loadAverage: [one, five, fifteen],
  };
}
