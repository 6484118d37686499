/**
 * The system servers as the host sees them: their images, and how to talk to init. What lies in `guests` runs on the
 * cores, and may touch only what its capabilities allow.
 */

import { readFileSync } from "node:fs";
import type { Image } from "@capos/abi";
import { BRIDGE_IMAGE, IMAGES, ROOT_IMAGE, SHELL_IMAGE } from "./guests/system.js";

export {
  capabilitiesAndWords,
  encodeFrame,
  Frame,
  type FramedCapability,
  FrameReader,
  MARK,
  messageAt,
} from "./guests/bridge/frame.js";
export { Input, PIECE_BYTES, type Piece } from "./guests/console/input.js";
export { Readers } from "./guests/console/readers.js";
export { consoleLabel } from "./guests/console-label.js";
export {
  type ControlEvent,
  type ControlRequest,
  type DoneEvent,
  type ErrorEvent,
  type ExitEvent,
  type GivenThing,
  type HaltRequest,
  type HandedThing,
  type KillRequest,
  type KillServiceRequest,
  MAX_REQUEST_BYTES,
  type MemoryEvent,
  type MemoryRequest,
  placeArguments,
  type ReadyEvent,
  type RunRequest,
  type ServiceEvent,
} from "./guests/control-protocol.js";
export type { LogRecord } from "./guests/log-record.js";
export { LineJoiner } from "./guests/service/line-joiner.js";
export { MAX_ASSETS, READ_ONLY_BITS, Shell, ShellHost } from "./guests/shell/protocol.js";
export {
  IMAGES,
  type ImageName,
  MAX_USER_PROCESSES,
  type Need,
  SERVICES,
  type ServiceDescription,
  USER_THREADS,
} from "./guests/system.js";
export {
  type ProgramPlan,
  SYSTEM_NAME,
  SystemHost,
  type SystemPlan,
  type SystemReport,
} from "./guests/system-plan.js";

/** Where `build-images` leaves an image. */
export function imageFile(name: string): URL {
  return new URL(`./images/${name}.json`, import.meta.url);
}

/** The image of the bridge. Throws if it has not been built. */
export function loadBridgeImage(): Image {
  return loadImage(BRIDGE_IMAGE);
}

/** The image of the shell. Throws if it has not been built. */
export function loadShellImage(): Image {
  return loadImage(SHELL_IMAGE);
}

function loadImage(name: string): Image {
  return JSON.parse(readFileSync(imageFile(name), "utf8")) as Image;
}

/** The image of the root of systems. Throws if it has not been built. */
export function loadRootImage(): Image {
  return JSON.parse(readFileSync(imageFile(ROOT_IMAGE), "utf8")) as Image;
}

/**
 * The images of init and of the services, in the order in which a machine must be given them: before
 * any other, init first. Throws if they have not been built.
 */
export function loadServerImages(): Image[] {
  return IMAGES.map(loadImage);
}
