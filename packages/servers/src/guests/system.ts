/**
 * The system as init builds it: which services there are, what each holds, what happens when one ends.
 *
 * This is the whole of the start-up policy. A service gets what its entry lists and nothing else; it
 * finds the handles in the order of the list (see `service/given.ts`). Numbers and order are shared by
 * init, the services and the host, so they stand here alone.
 */

/** The images every machine is started with, in this order, which is that of their numbers: the kernel runs image 0 as init. */
export const IMAGES = Object.freeze(["init", "names", "log", "console", "echo"] as const);

/** What the host has run when it first takes part in the machine itself: see `bridge.ts`. */
export const BRIDGE_IMAGE = "bridge";

/** What the host has run for each who sits at a shell: see `shell.ts`. */
export const SHELL_IMAGE = "shell";

export type ImageName = (typeof IMAGES)[number];

/** What a service may be given besides the RECEIVE side of its own endpoint. */
export type Need =
  /** The port of its device. */
  | "port"
  /** The interrupt of its device: input has come, or the host has taken output. */
  | "interrupt"
  /** A notification of its own. Init signals `ServiceSignal.ENDED` in it each time a process ends. */
  | "notification"
  /** Init's registry: which process a badge stands for. */
  | "registry"
  /** What clients are given of every service, to be found by name: one handle a service, names in the arguments. */
  | "directory";

/** Bits of a service's notification. */
export const enum ServiceSignal {
  INTERRUPT = 1,
  ENDED = 2,
}

export interface ServiceDescription {
  /** What it is called, also in the names server. */
  readonly name: string;
  readonly image: ImageName;
  /** The core it runs on, modulo the machine's cores. */
  readonly core: number;
  /** 0 to 255; init itself runs at 200. */
  readonly priority: number;
  /** The number of its serial device, for a driver. */
  readonly device?: number;
  readonly needs: readonly Need[];
  /** It is started again at most `limit` times in any `windowNs` nanoseconds; then it has failed. */
  readonly restart: { readonly limit: number; readonly windowNs: number };
  /** Whether the machine halts (status 1) when it has failed. */
  readonly essential: boolean;
}

const OFTEN_ENOUGH = Object.freeze({ limit: 5, windowNs: 10e9 });

/** The services in the order of their start. At most 15: each has a bit of init's notification. */
export const SERVICES: readonly ServiceDescription[] = Object.freeze([
  {
    name: "names",
    image: "names",
    core: 0,
    priority: 190,
    needs: ["notification", "registry", "directory"],
    restart: OFTEN_ENOUGH,
    essential: true,
  },
  {
    name: "log",
    image: "log",
    core: 0,
    priority: 180,
    device: 2,
    needs: ["port", "interrupt", "notification", "registry"],
    restart: OFTEN_ENOUGH,
    essential: true,
  },
  {
    name: "console",
    image: "console",
    core: 0,
    priority: 180,
    device: 1,
    needs: ["port", "interrupt", "notification", "registry"],
    restart: OFTEN_ENOUGH,
    essential: true,
  },
  { name: "echo", image: "echo", core: 0, priority: 150, needs: [], restart: OFTEN_ENOUGH, essential: false },
]);

/** log2 of the slots of a service's CSpace, and of a user process's. */
export const SERVICE_CNODE_BITS = 8;
export const USER_CNODE_BITS = 10;

/**
 * How many threads a process may have at one time, with those of processes it starts: its share of the
 * machine's thread numbers, of which there are 16 for each MiB of memory (256 at least, 16 384 at most). A
 * service has one thread. A user process may be given another share: see `RunRequest`.
 */
export const SERVICE_THREADS = 2;
export const USER_THREADS = 32;

/** User processes at one time. */
export const MAX_USER_PROCESSES = 256;

/**
 * Badges, by which servers tell their clients apart. All are minted by init and a badged capability
 * cannot be minted again, so nobody can take another's.
 */
export const enum Badge {
  /** Service number i has badge i + 1. */
  FIRST_SERVICE = 1,
  /** Of the endpoints that the names server gives to anyone. */
  ANYONE = 255,
  /** User processes, counted up and never used twice. */
  FIRST_USER = 256,
  LAST = 0xffff_ffff,
}
