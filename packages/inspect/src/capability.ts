/** One slot as people read it. */
import { factsOf, ObjectType, Right, Slot, SlotBits, SlotFlag, SlotState, typeName } from "@capos/abi";
import type { WordIndex } from "@capos/hal";
import { IrqHandler } from "@capos/kernel/layout";
import type { CapabilityInfo } from "./state.js";
import { bytesOf, type Survey, typeOf } from "./survey.js";
import type { CopiedSlot } from "./tree-copy.js";
import { bitNames, hex, isLine, nameOf, wordAt } from "./words.js";

const SLOT_STATES: readonly string[] = Object.freeze(["empty", "reserved", "live", "dead"]);

/** A letter for each right, from the lowest bit up: read, write, execute, map, send, reCeive, grant, reVoke. */
export const RIGHT_LETTERS = "rwxmscgv";

const FLAGS: Readonly<Record<number, string>> = Object.freeze({
  [SlotFlag.SEALED]: "sealed",
  [SlotFlag.BADGED]: "badged",
  [SlotFlag.EXPIRES]: "expires",
  [SlotFlag.MINTED]: "minted",
  [SlotFlag.BINDING]: "binding",
  [SlotFlag.FINALISING]: "finalising",
  [SlotFlag.NO_SENDERS]: "orphaned",
  [SlotFlag.TIMED]: "timed",
});

const PORTS: readonly string[] = Object.freeze(["kernel", "console", "log", "control", "bridge"]);
const UNIT_BYTES = 64;

/** Rights as a text of eight letters. */
export function rightsText(rights: number): string {
  let text = "";
  for (let bit = 0; bit < RIGHT_LETTERS.length; bit++)
    text += (rights & (Right.READ << bit)) !== 0 ? RIGHT_LETTERS[bit] : "-";
  return text;
}

/** The capability in a copied slot. */
export function capabilityIn(survey: Survey, slot: CopiedSlot, nowNs: number): CapabilityInfo {
  const { words } = slot;
  const word = words[Slot.STATE];
  const type = typeOf(word);
  const object = words[Slot.OBJECT];
  const inMemory = factsOf(type)?.isObject === true && isLine(survey.memory, object);
  const live = (word & SlotBits.STATE_MASK) === SlotState.LIVE;
  const expires = (word & SlotFlag.EXPIRES) !== 0;
  return {
    address: slot.at * 4,
    place: survey.placeOf(slot.at),
    state: nameOf(SLOT_STATES, word & SlotBits.STATE_MASK),
    type: typeName(type),
    designates: designation(survey, type, object),
    object: inMemory ? object * 4 : null,
    bytes: inMemory && type !== ObjectType.REPLY ? bytesOf(word) || null : null,
    rights: rightsText((word & SlotBits.RIGHTS_MASK) >>> SlotBits.RIGHTS_SHIFT),
    badge: words[Slot.BADGE] >>> 0,
    generation: words[Slot.GENERATION] >>> 0,
    flags: bitNames(FLAGS, word),
    expiresInNs: expires ? Math.max(Math.round(slot.expiryNs - nowNs), 0) : null,
    used: live && type === ObjectType.UNTYPED ? (words[Slot.WATERMARK] >>> 0) * UNIT_BYTES : null,
  };
}

/** What a capability designates, for people. */
export function designation(survey: Survey, type: number, object: WordIndex): string {
  switch (type) {
    case ObjectType.NONE:
      return "";
    case ObjectType.THREAD:
      return survey.threadName(object);
    case ObjectType.REPLY:
      return `reply to ${survey.threadName(object)}`;
    case ObjectType.PROCESS:
      return survey.processName(object);
    case ObjectType.CNODE: {
      const name = survey.cnodeName(object);
      return name.startsWith("CNode") ? name : `CSpace of ${name}`;
    }
    case ObjectType.IO_PORT:
      return `port ${object}${PORTS[object] === undefined ? "" : ` (${PORTS[object]})`}`;
    case ObjectType.IRQ_HANDLER:
      return `interrupt of port ${wordAt(survey.memory, object + IrqHandler.PORT)}`;
    case ObjectType.IMAGE:
      return survey.imageName(object);
    case ObjectType.DEBUG:
    case ObjectType.IMAGE_CONTROL:
      return typeName(type);
    default:
      return `${typeName(type)} ${hex(object)}`;
  }
}
