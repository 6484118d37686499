/**
 * The stress suite's guest: leads a crew if it is the first thread of its process, else does what its
 * scenario has for it.
 */
import type { Sys } from "@capos/abi";
import { type Steps, start } from "@capos/libos";
import { coreStorm } from "./core-storm.js";
import { follow, lead, type Scenario, VISITOR, visit } from "./crew.js";
import { deleteLastTwo } from "./delete-last-two.js";
import { queueCancel } from "./queue-cancel.js";
import { queueOrder } from "./queue-order.js";
import { revokeVsCall } from "./revoke-vs-call.js";
import { revokeVsCopy } from "./revoke-vs-copy.js";
import { live, revokeVsKill } from "./revoke-vs-kill.js";
import { revokeVsMap } from "./revoke-vs-map.js";
import { revokeVsRetype } from "./revoke-vs-retype.js";
import { revokeVsRevoke } from "./revoke-vs-revoke.js";
import { revokeInFlight, revokeVsTransfer } from "./revoke-vs-transfer.js";
import { slotReuse } from "./slot-reuse.js";
import type { ScenarioName } from "./vocabulary.js";

const scenarios: Readonly<Record<ScenarioName, Scenario>> = {
  "revoke-vs-call": revokeVsCall,
  "revoke-vs-transfer": revokeVsTransfer,
  "revoke-vs-copy": revokeVsCopy,
  "revoke-vs-retype": revokeVsRetype,
  "revoke-vs-revoke": revokeVsRevoke,
  "revoke-vs-kill": revokeVsKill,
  "revoke-vs-map": revokeVsMap,
  "revoke-in-flight": revokeInFlight,
  "delete-last-two": deleteLastTwo,
  "slot-reuse": slotReuse,
  "queue-cancel": queueCancel,
  "queue-order": queueOrder,
  "core-storm": coreStorm,
};

export default function* main(sys: Sys): Steps<number> {
  const os = start(sys);
  const scenario = scenarios[os.args[0] as ScenarioName];
  if (os.name === "victim") return yield* live(os);
  if (os.threadIndex === 0) return yield* lead(os, scenario);
  return yield* os.args[1] === VISITOR ? visit(os, scenario) : follow(os, scenario);
}
