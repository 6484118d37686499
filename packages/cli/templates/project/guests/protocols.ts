/** What the programs and the application say to each other. */
import { own, protocol, u32 } from "capos/guest";

export const Counter = protocol("counter", {
  /** A counter, and the right to add to it. */
  open: { request: {}, reply: { counter: own(["write"]) } },
  add: { needs: "write", request: { amount: u32 }, reply: { value: u32 } },
  /** What all counters have come to. */
  total: { request: {}, reply: { value: u32 } },
  /** Takes every counter back from whoever has one. */
  takeBack: { request: {}, reply: {} },
});

export const Owner = protocol("owner", {
  /** Says how far somebody has counted. */
  counted: { request: { value: u32 }, reply: {} },
});
