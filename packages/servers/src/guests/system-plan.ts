/** What the host tells the root of a system to start, and what that tells the host: shared by both. */
import { protocol, type Restart, type SupervisorOptions, type SupervisorReport } from "@capos/libos";

/** What the root of a system is called. No program can be called so. */
export const SYSTEM_NAME = "system";

export const SystemHost = /* @__PURE__ */ protocol("system", {
  /** Answered when the system is to end. */
  stop: { request: {}, reply: {} },
});

/** A program as the root starts it. */
export interface ProgramPlan {
  readonly name: string;
  /** Its image, among those that came with the root's own, and those that it imports. */
  readonly image: number;
  readonly assets: readonly number[];
  readonly args: readonly string[];
  readonly core: number;
  readonly priority: number;
  readonly threads: number;
  /** log2 of the bytes of its untyped memory; 0 is none. */
  readonly memoryBits: number;
  readonly restart: Restart;
  /** Whether it has the names service. */
  readonly names: boolean;
  /** Endpoints that it receives from: the first in its `handed`. */
  readonly provides: readonly string[];
  /** Endpoints that it calls, and what it may do with them besides: behind those. */
  readonly uses: readonly { readonly endpoint: string; readonly rights: number }[];
}

/** A system: its programs in the order of their start. */
export interface SystemPlan {
  readonly programs: readonly ProgramPlan[];
  readonly supervisor: Pick<SupervisorOptions, "strategy" | "limit" | "backOff">;
}

/** A line that the root prints: what its supervisor tells. */
export type SystemReport = SupervisorReport;
