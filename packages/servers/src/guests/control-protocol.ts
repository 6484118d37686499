/**
 * What the host and init say to each other on the control port: one JSON object a line, both ways.
 *
 * Init checks every field of every request: the host is trusted with the machine, but a slip of its
 * must not end it. Lines are at most `MAX_REQUEST_BYTES` long; fields that are not known are ignored.
 * Every request that can be read is answered, with the id that it came with, also one that is refused for its length.
 */
import { MAX_NAME_BYTES, USER_CEILING } from "@capos/abi";
import { argumentsText, fitsStartWords, utf8Length } from "@capos/libos";
import { USER_THREADS } from "./system.js";

/**
 * An image that a program is given to run, by its number, with those that it imports, as it numbers them (none unless told); or what
 * was left with init for it, see `Registry.deposit`.
 */
export type HandedThing =
  | { readonly image: number; readonly assets?: readonly number[] }
  | { readonly deposit: number };

/** Starts a program as a process of its own. Answered by `exit` when it has ended, or by `error` if it cannot start. */
export interface RunRequest {
  readonly op: "run";
  /** The host's name for the process; one that is not in use. */
  readonly id: number;
  /** The number of its image. */
  readonly image: number;
  /** The numbers of the images that its own imports, as that numbers them. None unless told. */
  readonly assets?: readonly number[];
  /** What it finds in `handed`, in this order. Nothing unless told. */
  readonly handed?: readonly HandedThing[];
  /** The number of the deposit that is its console; null (and nothing) is the machine's. */
  readonly console?: number | null;
  /** 1 to 32 bytes. */
  readonly name: string;
  /** Null: those that its image was loaded with, see `placeArguments`. None unless told. */
  readonly args?: readonly string[] | null;
  /** Where it may start: on the first of these that is online. Null (and nothing) leaves the choice to init: the cores other than its own, in turn. */
  readonly cores?: readonly number[] | null;
  /** 0 to 149: below the services. 100 unless told. */
  readonly priority?: number;
  /** log2 of the bytes of its untyped memory, 6 to 30; 0 is none. 20 unless told. */
  readonly memoryBits?: number;
  /** How many threads it may have at one time, with those of processes it starts: 1 to 16384, 32 unless told. */
  readonly threads?: number;
  /** Whether it gets the Debug capability. Not unless told. */
  readonly debug?: boolean;
  /** Whether its lines on the console begin with its name, as in `name | text`. Not unless told. */
  readonly labelled?: boolean;
  /** Whether it may have children that are known by names of their own: it is given a way to init for that, the last in `handed`. Not unless told. */
  readonly adopts?: boolean;
  /** Whether it is the bridge: it is given the bridge's device and its interrupt, behind what it is handed. Not unless told. */
  readonly bridge?: boolean;
}

/**
 * Gives a process that runs a capability: to an image (by its number), or to a process (by its id), to look at it and to
 * end it. Answered by `done`, or by `error`.
 */
export interface GiveRequest {
  readonly op: "give";
  readonly id: number;
  /** The id of the process that is given it. */
  readonly to: number;
  /** An empty slot of its CSpace that it has named. */
  readonly slot: number;
  /** One of the two. */
  readonly image?: number;
  readonly process?: number;
}

/** Ends a process. Answered by its `exit`, or by `error` if there is none. */
export interface KillRequest {
  readonly op: "kill";
  readonly id: number;
}

/**
 * Ends a service as a fault would. Answered by `done`, or by `error` if none of that name runs; what its death leads to
 * is told by `service`, restarted or failed.
 */
export interface KillServiceRequest {
  readonly op: "kill-service";
  readonly id?: number;
  readonly service: string;
}

/** Asks how much memory init has left. Answered by `memory`. */
export interface MemoryRequest {
  readonly op: "memory";
}

/** Stops the machine. Nothing is reported any more. */
export interface HaltRequest {
  readonly op: "halt";
  /** 0 to 255. */
  readonly status: number;
}

export type ControlRequest =
  | RunRequest
  | GiveRequest
  | KillRequest
  | KillServiceRequest
  | MemoryRequest
  | HaltRequest;

/** Every service has been started; requests are read from now on. */
export interface ReadyEvent {
  readonly event: "ready";
  readonly services: readonly string[];
  readonly cores: number;
}

/** A process has ended and nothing of it runs any more. */
export interface ExitEvent {
  readonly event: "exit";
  readonly id: number;
  /** A `LifeState`: EXITED, FAULTED or KILLED. */
  readonly state: number;
  /** Its exit status, where it exited by itself. */
  readonly status: number;
  /** Where in its image a faulted process stood (0 if that is not known), and what the fault said. */
  readonly line: number;
  readonly column: number;
  readonly fault: string;
  /** Lines and columns, in turn, of the callers of what faulted, the innermost first. */
  readonly callers: readonly number[];
}

/** A request was carried out that has no other answer. */
export interface DoneEvent {
  readonly event: "done";
  /** The request's, or null where it had none. */
  readonly id: number | null;
}

/** A request was not carried out, and nothing has changed. */
export interface ErrorEvent {
  readonly event: "error";
  /** The request's, or null where it had none that could be read. */
  readonly id: number | null;
  readonly message: string;
}

export interface ServiceEvent {
  readonly event: "service";
  readonly name: string;
  readonly state: "started" | "restarted" | "failed";
  /** Why it was restarted or has failed; empty for a start. */
  readonly fault: string;
}

/** What init could give to processes. */
export interface MemoryEvent {
  readonly event: "memory";
  readonly freeBytes: number;
  /** In one piece. */
  readonly largestBytes: number;
}

export type ControlEvent = ReadyEvent | ExitEvent | DoneEvent | ErrorEvent | ServiceEvent | MemoryEvent;

/** The longest request, without its line break. */
export const MAX_REQUEST_BYTES = 16384;

const MAX_IMAGE = 0x7fff_ffff;
const MAX_SLOT = 0xffff;
const MAX_DEPOSIT = 0xffff_ffff;
const MIN_UNTYPED_BITS = 6;
const MAX_UNTYPED_BITS = 30;
const MAX_THREADS = 16384;
const DEFAULT_PRIORITY = 100;
const DEFAULT_MEMORY_BITS = 20;

/**
 * Where a program's arguments go: into its request and so into its start words, if these have room for them, else
 * into a text with which its image is loaded. `handed` is how many things it is handed.
 */
export function placeArguments(
  name: string,
  args: readonly string[],
  handed: number,
): { readonly args: readonly string[] | null; readonly text: string } {
  return fitsStartWords(name, args, handed) ? { args, text: "" } : { args: null, text: argumentsText(args) };
}

/** What a process that runs is given. */
export type GivenThing = { readonly image: number } | { readonly process: number };

/** A request as init works with it: complete and in range. */
export type CheckedRequest =
  | Required<RunRequest>
  | (Pick<GiveRequest, "op" | "id" | "to" | "slot"> & { readonly what: GivenThing })
  | KillRequest
  | (Omit<KillServiceRequest, "id"> & { readonly id: number | null })
  | MemoryRequest
  | HaltRequest;

/** A request that is none, with the id it came with if it has one. */
export class BadRequest extends Error {
  constructor(
    readonly id: number | null,
    message: string,
  ) {
    super(message);
  }
}

/** Reads one line. Throws `BadRequest` with a message for people. `cores` is how many the machine has. */
export function parseRequest(line: string, cores: number): CheckedRequest {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new BadRequest(null, "a request must be one JSON object on one line");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new BadRequest(null, "a request must be a JSON object");
  }
  const fields = value as Record<string, unknown>;
  const id = isInteger(fields.id, 0, Number.MAX_SAFE_INTEGER) ? (fields.id as number) : null;

  const integer = (name: string, low: number, high: number, absent?: number): number => {
    const given = fields[name] ?? absent;
    if (isInteger(given, low, high)) return given as number;
    throw new BadRequest(id, `${name} must be an integer from ${low} to ${high}`);
  };

  switch (fields.op) {
    case "run":
      return {
        op: "run",
        id: integer("id", 0, Number.MAX_SAFE_INTEGER),
        image: integer("image", 0, MAX_IMAGE),
        handed: handedOf(fields.handed ?? [], id),
        assets: assetsOf(fields.assets ?? [], id),
        console: (fields.console ?? null) === null ? null : integer("console", 1, MAX_DEPOSIT),
        name: processName(fields.name, id),
        args: fields.args === null ? null : argumentsOf(fields.args ?? [], id),
        cores: coresOf(fields.cores ?? null, cores, id),
        priority: integer("priority", 0, USER_CEILING, DEFAULT_PRIORITY),
        memoryBits:
          fields.memoryBits === 0
            ? 0
            : integer("memoryBits", MIN_UNTYPED_BITS, MAX_UNTYPED_BITS, DEFAULT_MEMORY_BITS),
        threads: integer("threads", 1, MAX_THREADS, USER_THREADS),
        debug: flag(fields.debug ?? false, "debug", id),
        labelled: flag(fields.labelled ?? false, "labelled", id),
        adopts: flag(fields.adopts ?? false, "adopts", id),
        bridge: flag(fields.bridge ?? false, "bridge", id),
      };
    case "give": {
      if ((fields.image === undefined) === (fields.process === undefined))
        throw new BadRequest(id, "give needs an image or a process");
      return {
        op: "give",
        id: integer("id", 0, Number.MAX_SAFE_INTEGER),
        to: integer("to", 0, Number.MAX_SAFE_INTEGER),
        slot: integer("slot", 1, MAX_SLOT),
        what:
          fields.image === undefined
            ? { process: integer("process", 0, Number.MAX_SAFE_INTEGER) }
            : { image: integer("image", 0, MAX_IMAGE) },
      };
    }
    case "kill":
      return { op: "kill", id: integer("id", 0, Number.MAX_SAFE_INTEGER) };
    case "kill-service":
      if (typeof fields.service !== "string") throw new BadRequest(id, "service must be a service's name");
      return { op: "kill-service", id, service: fields.service };
    case "memory":
      return { op: "memory" };
    case "halt":
      return { op: "halt", status: integer("status", 0, 255) };
    default:
      throw new BadRequest(id, "op must be one of run, give, kill, kill-service, memory, halt");
  }
}

const ID_KEY = '"id":';

/** The id in the beginning of a request that is too long to be read, or null. Within a text these quotes would be escaped. */
export function idOf(beginning: string): number | null {
  const at = beginning.indexOf(ID_KEY);
  if (at < 0) return null;
  const digits = beginning.slice(at + ID_KEY.length, at + ID_KEY.length + MAX_ID_LENGTH + 1);
  const id = Number.parseInt(digits, 10);
  return isInteger(id, 0, Number.MAX_SAFE_INTEGER) ? id : null;
}

const MAX_ID_LENGTH = String(Number.MAX_SAFE_INTEGER).length;

function isInteger(value: unknown, low: number, high: number): boolean {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= low && value <= high;
}

function processName(value: unknown, id: number | null): string {
  if (typeof value === "string" && value.length > 0 && utf8Length(value) <= MAX_NAME_BYTES) return value;
  throw new BadRequest(id, `name must be a text of 1 to ${MAX_NAME_BYTES} bytes`);
}

function argumentsOf(value: unknown, id: number | null): readonly string[] {
  if (Array.isArray(value) && value.every((one) => typeof one === "string")) return value as string[];
  throw new BadRequest(id, "args must be an array of texts");
}

function coresOf(value: unknown, count: number, id: number | null): readonly number[] | null {
  if (value === null) return null;
  const isList = Array.isArray(value) && value.length > 0 && value.length <= count;
  if (isList && value.every((one) => isInteger(one, 0, count - 1))) return value as number[];
  throw new BadRequest(id, `cores must be an array of 1 to ${count} integers from 0 to ${count - 1}`);
}

function assetsOf(value: unknown, id: number | null): readonly number[] {
  if (isImages(value)) return value;
  throw new BadRequest(id, `assets must be an array of integers from 0 to ${MAX_IMAGE}`);
}

function handedOf(value: unknown, id: number | null): readonly HandedThing[] {
  if (Array.isArray(value) && value.every(isHandedThing)) return value as HandedThing[];
  throw new BadRequest(
    id,
    `handed must be an array of objects with image, an integer from 0 to ${MAX_IMAGE} (and assets, an array of such), or deposit, one from 1 to ${MAX_DEPOSIT}`,
  );
}

function isHandedThing(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { image, assets = [], deposit } = value as Record<string, unknown>;
  return image === undefined
    ? isInteger(deposit, 1, MAX_DEPOSIT)
    : isInteger(image, 0, MAX_IMAGE) && isImages(assets);
}

function isImages(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((one) => isInteger(one, 0, MAX_IMAGE));
}

function flag(value: unknown, name: string, id: number | null): boolean {
  if (typeof value === "boolean") return value;
  throw new BadRequest(id, `${name} must be true or false`);
}
