/** What a counter and its visitors say to each other. */
import { protocol, u32 } from "capos/guest";

export const Counting = protocol("counting", {
  /** Adds to the count, and answers what it is then. */
  add: { request: { amount: u32 }, reply: { count: u32 } },
});
