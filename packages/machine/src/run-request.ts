/** What an application says of a run, checked and complete: plain values, which another process can be sent. */
import { basename } from "node:path";
import { type Image, MAX_NAME_BYTES } from "@capos/abi";
import { UsageError } from "./errors.js";
import { checkRunOptions } from "./known-options.js";
import type { RunOptions } from "./options.js";
import { Reference } from "./peer/reference.js";
import { inRange } from "./ranges.js";

const DEFAULT_UNTYPED = 2 ** 22;
const MIN_UNTYPED = 2 ** 6;
const MAX_UNTYPED = 2 ** 30;
const DEFAULT_PRIORITY = 100;
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** A run as the machine is asked for it. */
export interface RunRequest {
  readonly name: string;
  readonly args: readonly string[];
  /** Null: init chooses. */
  readonly cores: readonly number[] | null;
  readonly priority: number;
  /** log2 of the bytes; 0 is none. */
  readonly memoryBits: number;
  /** Null: a share of what the machine has. */
  readonly threads: number | null;
  readonly debug: boolean;
  /** Images to run, and numbers of deposits. */
  readonly handed: readonly (Image | { readonly deposit: number })[];
  readonly labelled: boolean;
  /** The number of the deposit that is its console; null is the machine's. */
  readonly console: number | null;
  /** Whether it may have children that are known by names of their own. */
  readonly adopts: boolean;
  /** Whether it is the guest that speaks for the host. */
  readonly isBridge: boolean;
}

/** A run whose references were not left with init yet. */
export interface CheckedRun extends Omit<RunRequest, "handed" | "console"> {
  readonly handed: readonly (Image | Reference)[];
}

/** @throws UsageError for what no run can have. @param cores how many the machine has */
export function checkedRunOf(image: Image, options: RunOptions, cores: number): CheckedRun {
  const args: readonly unknown[] = options.args ?? [];
  if (!Array.isArray(args) || args.some((text) => typeof text !== "string"))
    throw new UsageError("args: all must be texts");
  const name = nameOf(image, options.name);
  if ([name, ...args].some((text) => text.includes("\0")))
    throw new UsageError("args: a name or argument contains a NUL");
  return {
    name,
    args: args as readonly string[],
    cores: coresOf(options.cores, cores),
    priority: options.priority ?? DEFAULT_PRIORITY,
    memoryBits: bitsOf(options.untyped ?? DEFAULT_UNTYPED),
    threads: options.threads ?? null,
    debug: options.debug ?? false,
    handed: handedOf(options.handed ?? []),
    labelled: options.labelled ?? false,
    adopts: false,
    isBridge: false,
  };
}

/** As much of a file's name as the kernel keeps, in whole characters; or the name that was given. */
function nameOf(image: Image, given: string | undefined): string {
  if (given === undefined) {
    const bytes = new TextEncoder().encode(basename(image.name)).subarray(0, MAX_NAME_BYTES);
    return new TextDecoder().decode(bytes, { stream: true });
  }
  const length = typeof given === "string" ? new TextEncoder().encode(given).length : 0;
  if (length < 1 || length > MAX_NAME_BYTES)
    throw new UsageError(`name: a text of 1 to ${MAX_NAME_BYTES} bytes is needed`);
  return given;
}

/** Checks what can be told before the program is built. @throws UsageError */
export function checkOptions(options: RunOptions): void {
  checkRunOptions(options);
  const { timeoutMs, signal } = options;
  if (timeoutMs !== undefined && !(timeoutMs > 0 && timeoutMs <= MAX_TIMEOUT_MS))
    throw new UsageError(
      `timeoutMs: ${timeoutMs} is out of range, above 0 to ${MAX_TIMEOUT_MS} are possible`,
    );
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new UsageError("signal: an AbortSignal is needed");
}

function handedOf(given: readonly (Image | Reference)[]): readonly (Image | Reference)[] {
  const isImage = (one: unknown): boolean =>
    typeof one === "object" && one !== null && typeof (one as Partial<Image>).code === "string";
  if (!Array.isArray(given) || !given.every((one) => one instanceof Reference || isImage(one)))
    throw new UsageError("handed: a list of images and references is needed");
  return given;
}

function coresOf(given: readonly number[] | undefined, count: number): readonly number[] | null {
  if (given === undefined) return null;
  if (!Array.isArray(given) || given.length === 0)
    throw new UsageError("cores: a list of the cores that it may start on is needed");
  return [...new Set(given.map((core) => inRange("cores", core, 0, count - 1)))];
}

function bitsOf(bytes: number): number {
  if (bytes === 0) return 0;
  const bits = Math.log2(bytes);
  if (!(Number.isInteger(bits) && bytes >= MIN_UNTYPED && bytes <= MAX_UNTYPED))
    throw new UsageError(
      `untyped: ${bytes} bytes are not possible, a power of two from ${MIN_UNTYPED} to ${MAX_UNTYPED} is, or 0`,
    );
  return bits;
}
