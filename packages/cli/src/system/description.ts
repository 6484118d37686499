/** A system's description as it is written, in YAML, JSON or a module: what `SYSTEM_SCHEMA` says, as types. */
import type { Restart, SupervisorOptions } from "@capos/libos";

export interface ProgramDescription {
  /** A guest's file, from the description's folder. */
  readonly image: string;
  readonly args?: readonly string[];
  /** Its core; one after the other unless told, but for the services' core. */
  readonly core?: number;
  /** 0 to 149; 100 unless told. */
  readonly priority?: number;
  /** How many threads it may have, with those of processes it starts; 8 unless told. */
  readonly threads?: number;
  /** Bytes of untyped memory, a power of two, or 0; 1 MiB unless told. */
  readonly memory?: number;
  /** "permanent" unless told. */
  readonly restart?: Restart;
  /** Whether it has the names service; not unless told. */
  readonly names?: boolean;
  /** Endpoints that it receives from. */
  readonly provides?: readonly string[];
  /** Endpoints that it calls, by name, and what it may do with them besides. */
  readonly uses?: Readonly<Record<string, readonly ("grant" | "revoke")[]>>;
  /** Programs that are started before it. */
  readonly after?: readonly string[];
}

export interface SystemDescription {
  readonly machine?: { readonly cores?: number; readonly memory?: number };
  readonly supervisor?: Pick<SupervisorOptions, "strategy" | "limit" | "backOff">;
  /** By name. */
  readonly programs: Readonly<Record<string, ProgramDescription>>;
}

/** A system, typed: the default export of a module that `capos-smp up` takes. */
export function system(description: SystemDescription): SystemDescription {
  return description;
}
