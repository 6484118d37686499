/** All scenarios of the kernel. */
import type { Scenario } from "./scenario.js";
import { CAPABILITIES } from "./scenarios/capabilities.js";
import { ENDS } from "./scenarios/ends.js";
import { HOMES } from "./scenarios/homes.js";
import { IMAGE_SCENARIOS } from "./scenarios/images.js";
import { LOOKS } from "./scenarios/looks.js";
import { MACHINE } from "./scenarios/machine.js";
import { MAPPING_SCENARIOS } from "./scenarios/mappings.js";
import { MEMORY_SCENARIOS } from "./scenarios/memory.js";
import { MESSAGES } from "./scenarios/messages.js";
import { PRIORITIES } from "./scenarios/priorities.js";
import { SPACE_SCENARIOS } from "./scenarios/spaces.js";

export const SCENARIOS: readonly Scenario[] = [
  ...MACHINE,
  ...CAPABILITIES,
  ...MEMORY_SCENARIOS,
  ...MAPPING_SCENARIOS,
  ...SPACE_SCENARIOS,
  ...IMAGE_SCENARIOS,
  ...HOMES,
  ...MESSAGES,
  ...PRIORITIES,
  ...LOOKS,
  ...ENDS,
];

export function scenarioNamed(name: string): Scenario | undefined {
  return SCENARIOS.find((scenario) => scenario.name === name);
}
