/** Numbers and slots as people read them. */
import type { CapabilityInfo, PlaceInfo } from "./state.js";

const UNITS = Object.freeze(["B", "KiB", "MiB", "GiB"]);

/** Bytes in the largest unit that leaves at least one, with one decimal where it is not whole. */
export function bytes(count: number): string {
  let value = count;
  let unit = 0;
  for (; value >= 1024 && unit < UNITS.length - 1; unit++) value /= 1024;
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${UNITS[unit]}`;
}

/** A physical address in bytes. */
export function address(at: number): string {
  return `0x${at.toString(16)}`;
}

/** Nanoseconds as milliseconds or seconds. */
export function duration(ns: number): string {
  return ns < 1e9 ? `${(ns / 1e6).toFixed(1)} ms` : `${(ns / 1e9).toFixed(1)} s`;
}

/** Where a slot is: `init[16]`, or the object that it is part of. */
export function placeText(place: PlaceInfo): string {
  return place.index === null ? place.holder : `${place.holder}[${place.index}]`;
}

/** Flags, and how long until it expires. */
export function flagText({ flags, expiresInNs }: CapabilityInfo): string {
  const words = flags.filter((flag) => flag !== "badged" && flag !== "expires" && flag !== "binding");
  if (expiresInNs !== null) words.push(expiresInNs === 0 ? "expired" : `expires in ${duration(expiresInNs)}`);
  return words.join(" ");
}

/** The size of the object, and of an untyped how much of it is used. */
export function sizeText({ bytes: size, used }: CapabilityInfo): string {
  if (size === null) return "";
  return used === null ? bytes(size) : `${bytes(size)} (${bytes(used)} used)`;
}
