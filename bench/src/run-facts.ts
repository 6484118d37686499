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
}

/** What is known when a run starts. */
export type HostFacts = Omit<RunFacts, "finished" | "secondsPerRow" | "repetitions">;

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
