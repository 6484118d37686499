/** Messages, notifications and calls between cores, against the end of what they go through. */
import type { Scenario } from "../scenario.js";
import { CALL_SCENARIOS } from "./calls.js";
import { QUEUE_SCENARIOS } from "./queues.js";
import { REPORT_SCENARIOS } from "./reports.js";
import { SIGNAL_SCENARIOS } from "./signals.js";
import { TRANSFER_SCENARIOS } from "./transfers.js";
import { USE_SCENARIOS } from "./use.js";

export const MESSAGES: readonly Scenario[] = [
  ...USE_SCENARIOS,
  ...QUEUE_SCENARIOS,
  ...REPORT_SCENARIOS,
  ...TRANSFER_SCENARIOS,
  ...SIGNAL_SCENARIOS,
  ...CALL_SCENARIOS,
];
