/** Judging histories: is there an order in which one could have done after the other what happened at once? */
export { shortestExcerpt } from "./excerpt.js";
export {
  checkHistory,
  type Limits,
  partition,
  type Specification,
  type Timed,
  type Verdict,
} from "./linearizability.js";
