/** What an application's process and its machine's say to each other: calls in both directions over one channel. */
import type { Image } from "@capos/abi";
import type { MachineState, Standstill } from "@capos/inspect";
import type { GivenThing, MachineFacts } from "../backend.js";
import { MachineError, UsageError } from "../errors.js";
import type { BootOptions, MachineReport, RunResult } from "../options.js";
import type { RunRequest } from "../run-request.js";

/** Options that say what machine it is. */
export const MACHINE_OPTIONS = [
  ...(["cores", "poweredCores", "memoryMiB", "seed", "watchdogMs"] as const),
  ...(["historyEvents", "traceKiB", "traceGroups", "traceMode"] as const),
];

/** What of an application's options is no callback. */
export interface PlainOptions extends Pick<BootOptions, (typeof MACHINE_OPTIONS)[number]> {
  /** Address of the module. */
  readonly lastMomentsHref: string | null;
  /** Whether the application gives input. */
  readonly hasInput: boolean;
}

/** What the machine's process does. */
export interface MachineSide {
  boot(options: PlainOptions): Promise<Settled<MachineFacts>>;
  run(pid: number, image: Image, request: RunRequest): Promise<Settled<RunResult>>;
  give(to: number, slot: number, what: GivenThing): Promise<Settled<void>>;
  kill(pid: number): void;
  inspect(): Promise<Settled<MachineState>>;
  standstill(hasIdleBridge: boolean): Promise<Settled<Standstill | null>>;
  plug(core: number): Promise<Settled<void>>;
  unplug(core: number): Promise<Settled<void>>;
  killService(service: string): Promise<Settled<void>>;
  sendBridge(bytes: Uint8Array): void;
  feed(bytes: Uint8Array): void;
  closeInput(): void;
  halt(status: number): void;
}

/** What the application's process does. */
export interface OwnerSide {
  /** Lines for the console. Answers when they are taken. */
  console(lines: readonly string[]): Promise<void>;
  /** Lines of the log server's. Answers when they are taken. */
  log(lines: readonly string[]): Promise<void>;
  kernel(text: string): void;
  /** What the bridge says. */
  bridge(bytes: Uint8Array): void;
  input(): Promise<Uint8Array | null>;
  /** The last that is said. */
  ended(report: MachineReport): void;
}

/** How something went. An error of another process's has no class there. */
export type Settled<T> =
  | { readonly value: T }
  | { readonly usage: string }
  | { readonly failure: { readonly message: string; readonly status: number; readonly dump: string } }
  | { readonly thrown: Error };

export async function settle<T>(begin: () => T | Promise<T>): Promise<Settled<T>> {
  try {
    return { value: await begin() };
  } catch (error) {
    if (error instanceof UsageError) return { usage: error.message };
    if (error instanceof MachineError) {
      const { message, status, dump } = error;
      return { failure: { message, status, dump } };
    }
    return { thrown: error instanceof Error ? error : new Error(String(error)) };
  }
}

/** @throws what was thrown there */
export function unsettle<T>(settled: Settled<T>): T {
  if ("value" in settled) return settled.value;
  if ("usage" in settled) throw new UsageError(settled.usage);
  if ("failure" in settled) {
    const { message, status, dump } = settled.failure;
    throw new MachineError(message, status, dump);
  }
  throw settled.thrown;
}
