/** What the test's store and its users say to each other, on the machine and off it. */
import { bytes, capability, f64, list, own, protocol, text, u32 } from "@capos/libos";

export const Kv = protocol("test-kv", {
  put: { request: { key: u32, value: text }, reply: {} },
  /** `NOT_FOUND` if there is none. */
  get: { request: { key: u32 }, reply: { value: text } },
  /** Never answered. */
  hang: { request: {}, reply: {} },
  /** Ends the server. */
  die: { request: {}, reply: {} },
  echo: { request: { data: bytes }, reply: { data: bytes } },
  numbers: { request: { values: list(f64, 20) }, reply: { values: list(f64, 20) } },
  /** Gives a counter of its own, as a capability without a protocol. */
  counter: { request: {}, reply: { counter: capability } },
  /** Calls `add` of the counter that it is given, through the capability. */
  addTo: { request: { counter: capability, amount: u32 }, reply: { value: u32 } },
});

export const Counter = protocol("test-counter", {
  add: { request: { amount: u32 }, reply: { value: u32 } },
});

export const Files = protocol("test-files", {
  open: { request: { name: text }, reply: { file: own(["read", "grant"]) } },
  read: { needs: "read", request: {}, reply: { text } },
  write: { needs: "write", request: {}, reply: {} },
  same: { request: { file: own(["read"]) }, reply: { name: text } },
});
