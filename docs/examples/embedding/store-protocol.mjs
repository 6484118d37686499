/** What the store and its users say to each other, on the machine and off it. */
import { bytes, protocol, text } from "capos/guest";

export const Store = protocol("store", {
  put: { request: { key: text, value: text }, reply: {} },
  /** `NOT_FOUND` if nothing was put there. */
  get: { request: { key: text }, reply: { value: text } },
  /** A piece of a file; one without bytes is its end. */
  append: { request: { data: bytes }, reply: {} },
  /** The next piece of what was appended. */
  next: { request: {}, reply: { data: bytes } },
});

export const Prices = protocol("prices", {
  of: { request: { item: text }, reply: { price: text } },
});
