/** Where a machine runs, as `CaposMachine` sees it: in this process, or in one of its own. */
import type { Image } from "@capos/abi";
import type { PhysicalMemory } from "@capos/hal";
import type { MachineState, Standstill } from "@capos/inspect";
import type { Lifetime } from "./lifetime.js";
import type { MachineReport, RunResult } from "./options.js";
import type { RunRequest } from "./run-request.js";

/** What a machine is, from when its services are up. */
export interface MachineFacts {
  readonly cores: number;
  readonly memoryMiB: number;
  /** From power-on until init ran, in nanoseconds. */
  readonly powerToInitNs: number;
}

/** What a run may be given. */
export type GivenThing =
  | { readonly image: Image; readonly args: readonly string[] }
  | { readonly process: number };

/** Promises are rejected with MachineError when the machine ends first. Arguments are in range. */
export interface Backend extends MachineFacts {
  readonly lifetime: Lifetime;
  /** The number of the process that it runs in. */
  readonly pid: number;
  /** Null if it is another process's. */
  readonly memory: PhysicalMemory | null;
  /** Resolves when the machine has ended, for whatever reason. */
  readonly ended: Promise<MachineReport>;
  /** Runs an image to its end. @param pid a number that no other run has, or had */
  run(pid: number, image: Image, request: RunRequest): Promise<RunResult>;
  /**
   * Gives a run a capability, in an empty slot of its CSpace that it has named: to an image, or to another run, to look at
   * it and to end it. @throws UsageError if it cannot be given
   */
  give(to: number, slot: number, what: GivenThing): Promise<void>;
  /** Ends a run that has not ended, also one that has only begun to start. */
  kill(pid: number): void;
  /**
   * Whether the application's process goes on for the machine's sake: it does unless told.
   * @throws UsageError if the machine is a part of that process
   */
  keepAlive(wanted: boolean): void;
  /** Takes what the bridge says. Set by whoever has it run. */
  onBridge: (bytes: Uint8Array) => void;
  sendBridge(bytes: Uint8Array): void;
  feed(bytes: Uint8Array): void;
  closeInput(): void;
  inspect(): Promise<MachineState>;
  /** @param hasIdleBridge see `standstill` of @capos/inspect */
  standstill(hasIdleBridge: boolean): Promise<Standstill | null>;
  plug(core: number): Promise<void>;
  unplug(core: number): Promise<void>;
  killService(service: string): Promise<void>;
  /** Begins to switch it off. More than once is fine, and after its end. */
  halt(status: number): void;
}
