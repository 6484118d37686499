/**
 * The echo protocol: the smallest there is, for examples, first tests and latency.
 */
import { text, u32 } from "./fields.js";
import { protocol } from "./protocol.js";

/** The echo service's protocol: the smallest there is. */
export const Echo = /* @__PURE__ */ protocol("echo", {
  /** Answers the value it was given. */
  ping: { request: { value: u32 }, reply: { value: u32 } },
  /** Takes a text. */
  say: { request: { text }, reply: {} },
});
