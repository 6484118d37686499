/** What workers tell who started them. */
import { f64, protocol } from "capos/guest";

export const Adding = protocol("adding", {
  sum: { request: { value: f64 }, reply: {} },
});
