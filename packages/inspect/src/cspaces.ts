/** CNodes and what is in them. */
import { Slot, SlotBits, SlotState } from "@capos/abi";
import { Process } from "@capos/kernel/layout";
import type { CapabilityInfo, CSpaceInfo } from "./state.js";
import type { Survey } from "./survey.js";
import { wordAt } from "./words.js";

/** Slots whose state is counted in one inspection; beyond that the counts of the dead are too low. */
const MAX_COUNTED = 2 ** 20;

/** All CNodes, those of processes first. `capabilities` are the nodes of the tree: what is live is in it. */
export function inspectCSpaces(survey: Survey, capabilities: readonly CapabilityInfo[]): CSpaceInfo[] {
  const { memory } = survey;
  const held = new Map<number, CapabilityInfo[]>();
  for (const it of capabilities) {
    if (it.place.cnode === null || it.state !== "live") continue;
    const list = held.get(it.place.cnode);
    if (list === undefined) held.set(it.place.cnode, [it]);
    else list.push(it);
  }
  let counted = 0;
  const spaces = [...survey.cnodes.values()].map(({ at, slots, users }): CSpaceInfo => {
    let reserved = 0;
    let dead = 0;
    // Slot 0 is the CNode's header.
    for (let index = 1; index < slots && counted < MAX_COUNTED; index++, counted++) {
      const state = wordAt(memory, at + index * Slot.WORDS) & SlotBits.STATE_MASK;
      if (state === SlotState.RESERVED) reserved++;
      else if (state === SlotState.DEAD) dead++;
    }
    const inside = (held.get(at * 4) ?? []).sort((a, b) => a.address - b.address);
    return {
      address: at * 4,
      slots,
      processes: users.map((process) => wordAt(memory, process + Process.NUMBER)).sort((a, b) => a - b),
      holder: survey.cnodeName(at),
      live: inside.length,
      reserved,
      dead,
      capabilities: inside,
    };
  });
  const rank = ({ processes, address }: CSpaceInfo): number => processes[0] ?? 2 ** 32 + address;
  return spaces.sort((a, b) => rank(a) - rank(b));
}
