/**
 * What a service was given, by name: the reading side of the system description.
 *
 * Init hands over the RECEIVE side of the service's endpoint, then one handle for each need in the
 * order of the description, then the directory. A need that is not listed is 0 here.
 */
import type { Sys } from "@capos/abi";
import { environment, type Slots } from "@capos/libos";
import { type ImageName, type Need, SERVICES } from "../system.js";

export interface Given {
  readonly sys: Sys;
  readonly slots: Slots;
  readonly thread: number;
  readonly endpoint: number;
  readonly port: number;
  readonly interrupt: number;
  readonly notification: number;
  readonly registry: number;
  /** Every service by name, for whoever needs the directory. */
  readonly directory: readonly { readonly name: string; readonly endpoint: number }[];
}

/** Reads it from the start words. To be called before the first trap. */
export function given(sys: Sys, image: ImageName): Given {
  const { handed, args, freeSlots, thread } = environment(sys);
  const { needs: listed } = SERVICES.find((one) => one.image === image)!;
  const needs: readonly Need[] = listed.filter((need) => need !== "directory");
  const handle = (need: Need): number => {
    const at = needs.indexOf(need);
    return at < 0 ? 0 : handed[1 + at];
  };
  return {
    sys,
    slots: freeSlots,
    thread,
    endpoint: handed[0],
    port: handle("port"),
    interrupt: handle("interrupt"),
    notification: handle("notification"),
    registry: handle("registry"),
    directory: args.map((name, i) => ({ name, endpoint: handed[1 + needs.length + i] })),
  };
}
